"""What `agentcop doctor` stands on beside the seams: log, endpoints, detector, channels, clock, with real ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from agentcop.cli.doctor.checks import channels, clock, detector, environment, exporter, gate_log
from agentcop.cli.doctor.checks import policy as policy_check
from agentcop.cli.doctor.checks.found import Context
from agentcop_core.spool import SpoolReader, SpoolWriter
from agentcop_processor.gatelog import GateLog
from chained import decision, lines_of, put_lines, write_log
from doctored import ask, patient
from policytext import policy
from processes import POLICY
from receivers import HttpReceiver
from served import free_port
from slack_server import SlackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from agentcop.cli.doctor.checks.found import Found

pytestmark = pytest.mark.processes

HOOK = POLICY + "monitor: {alert_channels: [{type: webhook, url: '${URL}'}]}\n"


@pytest.fixture
def context(agentcop_home: Path) -> Callable[..., Context]:
    """What a check is given: this test's state folder, and the variables and the policy that are named."""

    def made(text: str = POLICY, *, send: bool = False, **environ: str) -> Context:
        return Context(
            policy_file="policy.yaml",
            policy=policy(text),
            problems=(),
            home=agentcop_home,
            environ=environ,
            now=time.time(),
            send=send,
        )

    return made


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver().start()
    yield receiver
    receiver.stop()


def said(found: Iterable[Found]) -> list[tuple[str, str]]:
    return [(each.state, each.reason) for each in found]


def only(found: Iterable[Found], state: str) -> str:
    """The reason of the one finding, which must be of this state."""
    ((known, reason),) = said(found)
    assert known == state, reason
    return reason


def test_a_check_that_fails_is_exit_1_whatever_the_seams_say(tmp_path: Path, agentcop_home: Path) -> None:
    (agentcop_home / "gate.log").mkdir(parents=True)
    answer = ask(patient(tmp_path))
    assert (answer.code, answer.states()) == (1, {"ENFORCED"})
    assert "every call is blocked" in answer.of("state folder", "failed")[0]


def test_a_state_folder_that_cannot_be_made_is_exit_1_too(tmp_path: Path) -> None:
    program = patient(tmp_path)
    program.file("file", "")
    answer = ask(program, "--home", "file/state")
    assert answer.code == 1
    assert f"{tmp_path}/file/state: no gate.log can be written" in answer.of("state folder", "failed")[0]


def test_no_endpoint_gets_the_canary_and_no_channel_an_alert_that_nobody_asked_for(
    tmp_path: Path, http: HttpReceiver
) -> None:
    with SlackServer() as server:
        program = patient(tmp_path, HOOK).having(
            URL=server.hook, AGENTCOP_OTLP_ENDPOINT=http.url, OTEL_EXPORTER_OTLP_ENDPOINT=http.url
        )
        assert ask(program).of("channels", "ok") == [
            "webhook (monitor.alert_channels[0]): not tried; --send sends a test alert"
        ]
        assert (server.posted, http.spans) == ([], [])
        assert ask(program, "--send").of("channels", "ok") == ["webhook (monitor.alert_channels[0]) took a test alert"]
        assert [body["kind"] for body in server.posted] == ["test"]
    assert http.spans == []


def test_the_state_folder_is_made_as_arming_makes_it(context: Callable[..., Context], agentcop_home: Path) -> None:
    assert said(gate_log.check(context())) == [
        ("ok", f"{agentcop_home} can be written"),
        ("ok", "there is none yet: no gated call was made here"),
    ]
    assert agentcop_home.stat().st_mode & 0o777 == 0o700
    assert list(agentcop_home.iterdir()) == []


def test_a_whole_log_is_read_and_not_written(context: Callable[..., Context], agentcop_home: Path) -> None:
    agentcop_home.mkdir(mode=0o700)
    write_log(agentcop_home, writers=2, decisions=5)
    before = lines_of(agentcop_home)
    assert said(gate_log.check(context()))[1:] == [("ok", "12 lines, 2 chains, every one whole")]
    assert lines_of(agentcop_home) == before


def test_a_changed_log_is_no_protection(context: Callable[..., Context], agentcop_home: Path) -> None:
    agentcop_home.mkdir(mode=0o700)
    write_log(agentcop_home, writers=1, decisions=5)
    lines = lines_of(agentcop_home)
    put_lines(agentcop_home, [line.replace(b"web_search", b"web_seArch") for line in lines[:3]] + lines[3:])
    state, reason = said(gate_log.check(context()))[1]
    assert state == "failed"
    assert reason.startswith("gate.log:")


def test_a_log_that_is_a_link_is_no_protection(
    context: Callable[..., Context], agentcop_home: Path, tmp_path: Path
) -> None:
    agentcop_home.mkdir(mode=0o700)
    (agentcop_home / "gate.log").symlink_to(tmp_path / "elsewhere")
    assert "every call is blocked" in only(gate_log.check(context()), "failed")


def test_a_state_folder_that_others_can_read_is_a_warning(context: Callable[..., Context], agentcop_home: Path) -> None:
    agentcop_home.mkdir()
    agentcop_home.chmod(0o755)
    assert said(gate_log.check(context()))[1] == (
        "warning",
        f"{agentcop_home} is open to other users (mode 755): chmod 700",
    )


@pytest.mark.parametrize(("value", "state"), [("1", "ok"), ("", "warning"), ("0", "warning"), ("on", "failed")])
def test_the_variable_that_arms_is_read_as_arming_reads_it(
    context: Callable[..., Context], value: str, state: str
) -> None:
    assert only(environment.check(context(AGENTCOP_ENABLED=value)), state) != ""


def test_a_detector_gets_an_empty_request_with_the_token(context: Callable[..., Context], http: HttpReceiver) -> None:
    asked = context(AGENTCOP_OTLP_ENDPOINT=http.url, AGENTCOP_TOKEN="t0ken")
    assert only(detector.check(asked), "ok") == f"{http.url}/v1/traces takes spans"
    assert [headers["Authorization"] for headers in http.headers] == ["Bearer t0ken"]
    assert http.spans == []


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_detector_that_takes_no_spans_is_a_warning(
    context: Callable[..., Context], http: HttpReceiver, status: int
) -> None:
    http.answers = [status]
    reason = only(detector.check(context(AGENTCOP_OTLP_ENDPOINT=http.url)), "warning")
    assert f"nobody is watching: {http.url}/v1/traces takes no spans (HTTP {status})" in reason


def test_a_detector_that_is_not_there_is_a_warning(context: Callable[..., Context]) -> None:
    asked = context(AGENTCOP_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert "ConnectionRefusedError" in only(detector.check(asked), "warning")


def test_an_endpoint_that_is_none_ends_every_armed_process_so_it_is_no_protection(
    context: Callable[..., Context],
) -> None:
    reason = only(detector.check(context(AGENTCOP_OTLP_ENDPOINT="ftp://there")), "failed")
    assert reason.endswith("an armed process ends with 78")


def test_a_spool_that_nobody_reads_is_said(context: Callable[..., Context], agentcop_home: Path) -> None:
    unread = f"anomalies: nobody is watching: AGENTCOP_OTLP_ENDPOINT is not set, and nobody reads {agentcop_home}/spool"
    assert only(detector.check(context()), "warning") == unread
    writer = SpoolWriter(agentcop_home / "spool")
    writer.append(b"{}")
    writer.seal()
    reader = SpoolReader(agentcop_home / "spool")
    assert reader.acquire()
    try:
        assert only(detector.check(context()), "ok") == f"somebody reads {agentcop_home}/spool"
    finally:
        reader.release()
    assert only(detector.check(context()), "warning") == unread
    writer.dropped.add("room", 7)
    assert "7 spans were lost" in said(detector.check(context()))[1][1]


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_the_applications_endpoint_is_looked_for_and_sent_nothing(
    context: Callable[..., Context], http: HttpReceiver, name: str
) -> None:
    assert only(exporter.check(context(**{name: http.url})), "ok") == f"{name}: somebody listens there"
    assert not http.asked.is_set()
    port = free_port()
    down = context(**{name: f"http://user:secret@127.0.0.1:{port}"})
    assert only(exporter.check(down), "warning") == f"{name}: 127.0.0.1:{port} cannot be reached: Connection refused"


@pytest.mark.parametrize("nonsense", ["://", "http://[", "x://y", "http://h:port"])
def test_an_endpoint_that_is_no_address_is_a_warning(context: Callable[..., Context], nonsense: str) -> None:
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in only(
        exporter.check(context(OTEL_EXPORTER_OTLP_ENDPOINT=nonsense)), "warning"
    )


def test_a_channel_that_does_not_work_is_a_warning(
    context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "${URL} is not set in this environment" in only(channels.check(context(HOOK)), "warning")
    url = f"http://127.0.0.1:{free_port()}/s3cret"
    monkeypatch.setenv("URL", url)
    reason = only(channels.check(context(HOOK, send=True, URL=url)), "warning")
    assert "did not take a test alert" in reason
    assert "s3cret" not in reason
    assert "nobody hears of a block" in only(channels.check(context()), "warning")


def test_a_clock_that_is_behind_the_log_is_a_warning(context: Callable[..., Context], agentcop_home: Path) -> None:
    only(clock.check(context()), "ok")
    agentcop_home.mkdir(mode=0o700)
    log = GateLog(agentcop_home, now=lambda: time.time() + 86_400)
    log.append(decision(1))
    log.close()
    assert "gate.log's newest line is of" in only(clock.check(context()), "warning")


@pytest.mark.parametrize("gate", ["{default: allow, block: [wipe]}", '{allow: ["*"], block: [wipe]}'])
def test_a_policy_that_lets_everything_else_run_is_a_warning(context: Callable[..., Context], gate: str) -> None:
    found = dict(said(policy_check.check(context(f"agent_id: x\ngate: {gate}\n"))))
    assert set(found) == {"ok", "warning"}
    assert "everything else may run" in found["warning"]


def test_a_policy_that_allows_by_name_is_none(context: Callable[..., Context]) -> None:
    gate = '{allow: [search, {tool: "*", when: "args.safe == true"}]}'
    assert [state for state, _ in said(policy_check.check(context(f"agent_id: x\ngate: {gate}\n")))] == ["ok"]
