"""What `agentcop doctor` stands on beside the seams: log, endpoints, detector, channels, clock, with real ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from agentcop_core.spool import SpoolReader, SpoolWriter
from agentcop_processor.gatelog import GateLog
from chained import decision, lines_of, put_lines, write_log
from doctored import ask, patient
from processes import POLICY, Program
from receivers import HttpReceiver
from served import free_port
from slack_server import SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOOK = POLICY + "monitor: {alert_channels: [{type: webhook, url: '${URL}'}]}\n"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return patient(tmp_path)


def test_the_state_folder_is_made_as_arming_makes_it(program: Program, agentcop_home: Path) -> None:
    answer = ask(program)
    assert answer.of("state folder", "ok") == [f"{agentcop_home} can be written"]
    assert agentcop_home.stat().st_mode & 0o777 == 0o700
    assert answer.of("gate.log") == ["there is none yet: no gated call was made here"]


def test_a_whole_log_is_read_and_not_written(program: Program, agentcop_home: Path) -> None:
    agentcop_home.mkdir(mode=0o700)
    write_log(agentcop_home, writers=2, decisions=5)
    before = lines_of(agentcop_home)
    assert ask(program).of("gate.log", "ok") == ["12 lines, 2 chains, every one whole"]
    assert lines_of(agentcop_home) == before


def test_a_changed_log_is_no_protection(program: Program, agentcop_home: Path) -> None:
    agentcop_home.mkdir(mode=0o700)
    write_log(agentcop_home, writers=1, decisions=5)
    said = lines_of(agentcop_home)
    put_lines(agentcop_home, [line.replace(b"web_search", b"web_seArch") for line in said[:3]] + said[3:])
    answer = ask(program)
    assert (answer.code, answer.states()) == (1, {"ENFORCED"})
    assert answer.of("gate.log", "failed")[0].startswith("gate.log:")


def test_a_log_that_cannot_be_written_is_no_protection(program: Program, agentcop_home: Path) -> None:
    (agentcop_home / "gate.log").mkdir(parents=True)
    answer = ask(program)
    assert answer.code == 1
    assert "every call is blocked" in answer.of("state folder", "failed")[0]


def test_nor_is_a_state_folder_that_cannot_be_made(program: Program) -> None:
    program.file("file", "")
    answer = ask(program, "--home", "file/state")
    assert answer.code == 1
    assert f"{program.folder}/file/state: no gate.log can be written" in answer.of("state folder", "failed")[0]


def test_a_state_folder_that_others_can_read_is_a_warning(program: Program, agentcop_home: Path) -> None:
    agentcop_home.mkdir()
    agentcop_home.chmod(0o755)
    answer = ask(program)
    assert answer.code == 0
    assert "is open to other users (mode …55): chmod 700" in answer.of("state folder", "warning")[0]


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver().start()
    yield receiver
    receiver.stop()


def test_a_detector_gets_an_empty_request_with_the_token_and_no_canary(program: Program, http: HttpReceiver) -> None:
    answer = ask(program.having(AGENTCOP_OTLP_ENDPOINT=http.url, AGENTCOP_TOKEN="t0ken"))
    assert answer.of("detector", "ok") == [f"{http.url}/v1/traces takes spans"]
    assert [headers["Authorization"] for headers in http.headers] == ["Bearer t0ken"]
    assert http.spans == []


@pytest.mark.parametrize("status", [401, 500])
def test_a_detector_that_takes_no_spans_is_a_warning(program: Program, http: HttpReceiver, status: int) -> None:
    http.answers = [status] * 10
    answer = ask(program.having(AGENTCOP_OTLP_ENDPOINT=http.url))
    assert answer.code == 0
    assert f"nobody is watching: {http.url}/v1/traces takes no spans (HTTP {status})" in answer.of("detector")[0]


def test_a_detector_that_is_not_there_is_a_warning(program: Program) -> None:
    answer = ask(program.having(AGENTCOP_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}"))
    assert answer.code == 0
    assert "ConnectionRefusedError" in answer.of("detector", "warning")[0]


def test_an_endpoint_that_is_none_ends_every_armed_process_so_it_is_no_protection(program: Program) -> None:
    answer = ask(program.having(AGENTCOP_OTLP_ENDPOINT="ftp://there"))
    assert answer.code == 1
    assert "an armed process ends with 78" in answer.of("detector", "failed")[0]


def test_a_spool_that_nobody_reads_is_said(program: Program, agentcop_home: Path) -> None:
    assert "anomalies: nobody is watching" in ask(program).of("detector", "warning")[0]
    writer = SpoolWriter(agentcop_home / "spool")
    writer.append(b"{}")
    writer.seal()
    reader = SpoolReader(agentcop_home / "spool")
    assert reader.acquire()
    try:
        assert ask(program).of("detector") == [f"somebody reads {agentcop_home}/spool"]
    finally:
        reader.release()
    assert "nobody is watching" in ask(program).of("detector", "warning")[0]
    writer.dropped.add("room", 7)
    assert "7 spans were lost" in ask(program).of("detector", "warning")[1]


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_the_applications_endpoint_is_looked_for_and_sent_nothing(
    program: Program, http: HttpReceiver, name: str
) -> None:
    assert ask(program.having(**{name: http.url})).of("exporter", "ok") == [f"{name}: somebody listens there"]
    assert not http.asked.is_set()
    port = free_port()
    answer = ask(program.having(**{name: f"http://user:secret@127.0.0.1:{port}"}))
    assert answer.code == 0
    assert answer.of("exporter", "warning") == [f"{name}: 127.0.0.1:{port} cannot be reached: Connection refused"]
    for nonsense in ("://", "http://[", "x://y"):
        assert ask(program.having(**{name: nonsense})).of("exporter", "warning")


def test_a_channel_is_sent_to_only_when_asked_for(tmp_path: Path) -> None:
    program = patient(tmp_path, HOOK)
    with SlackServer() as server:
        program = program.having(URL=server.hook)
        assert "not tried" in ask(program).of("channels", "ok")[0]
        assert server.posted == []
        answer = ask(program, "--send")
        assert answer.of("channels", "ok") == ["webhook (monitor.alert_channels[0]) took a test alert"]
        assert [body["kind"] for body in server.posted] == ["test"]


def test_a_channel_that_does_not_work_is_a_warning(tmp_path: Path) -> None:
    program = patient(tmp_path, HOOK)
    unset = ask(program)
    assert "${URL} is not set in this environment" in unset.of("channels", "warning")[0]
    down = ask(program.having(URL=f"http://127.0.0.1:{free_port()}/s3cret"), "--send")
    assert "did not take a test alert" in down.of("channels", "warning")[0]
    assert "s3cret" not in str(down.checks)
    assert (unset.code, down.code) == (0, 0)
    assert "nobody hears of a block" in ask(_quiet(program)).of("channels", "warning")[0]


def _quiet(program: Program) -> Program:
    program.file("policy.yaml", POLICY)
    return program


def test_a_clock_that_is_behind_the_log_is_a_warning(program: Program, agentcop_home: Path) -> None:
    agentcop_home.mkdir(mode=0o700)
    log = GateLog(agentcop_home, now=lambda: time.time() + 86_400)
    log.append(decision(1))
    log.close()
    answer = ask(program)
    assert answer.code == 0
    assert "gate.log's newest line is of" in answer.of("clock", "warning")[0]
