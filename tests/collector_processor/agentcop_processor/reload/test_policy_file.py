"""A policy file that changes while its agent runs: the next call is judged by it, or by the last good one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, Approve, PolicyBlocked
from agentcop_core.errors import SandboxRefused
from agentcop_processor.reload import policy_file
from reloading import file_of, rewrite
from slack_server import SlackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RAN: list[Any] = []
ALLOWS = "agent_id: a\nversion: '1'\ngate:\n  allow: [tool]\n"
BLOCKS = "agent_id: a\nversion: '2'\ngate:\n  block: [tool]\n  default: allow\n"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call looks at the file; what it finds need not rest."""
    RAN.clear()
    monkeypatch.setattr(policy_file, "LOOK_EVERY", 0.0)
    monkeypatch.setattr("agentcop_processor.reload.watched.REST", 0.0)
    monkeypatch.setattr("agentcop_processor.reload.watched.REST_IF_CUT", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "policy.yaml"
    made.write_text(ALLOWS, encoding="utf-8")
    return made


def tool(value: Any = None) -> str:
    RAN.append(value)
    return "ran"


def rule_of(call: Callable[[], object]) -> object:
    try:
        return call()
    except PolicyBlocked as refused:
        return refused.rule


def policy_lines(home: Path) -> list[dict[str, Any]]:
    return gatefile.lines(home, "policy")


def test_the_next_call_is_judged_by_what_the_file_says_now(path: Path, agentcop_home: Path) -> None:
    cop = AgentCop(policy_file=path)
    guarded = cop.tool(tool)
    assert rule_of(guarded) == "ran"
    before = cop.policy.digest
    rewrite(path, BLOCKS)
    assert rule_of(guarded) == "gate.block[0]"
    assert (cop.policy.version, cop.policy.digest == before) == ("2", False)
    rewrite(path, ALLOWS)
    assert rule_of(guarded) == "ran"
    decisions = gatefile.lines(agentcop_home, "decision")
    assert [line["policy"] for line in decisions] == ["1", "2", "1"]
    assert cop.counts()["policy_replaced"] == 2


def test_a_verdict_bears_the_new_policys_digest_and_version(path: Path) -> None:
    cop = AgentCop(policy_file=path)
    rewrite(path, BLOCKS)
    with pytest.raises(PolicyBlocked) as refused:
        cop.tool(tool)()
    verdict = refused.value.verdict
    assert verdict is not None
    assert (verdict.policy_version, verdict.policy_digest) == ("2", cop.policy.digest)
    assert verdict.at == f"{path}:4:11"


@pytest.mark.parametrize(
    "broken",
    ["", "nonsense", "agent_id: a\n", "gate: [", "agent_id: a\ngate: {allow: [tool], unknown: 1}\n", ALLOWS + "\0"],
)
def test_what_is_no_policy_is_not_taken_and_that_is_said_once(
    path: Path, agentcop_home: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    cop = AgentCop(policy_file=path)
    before = cop.policy
    rewrite(path, broken)
    guarded = cop.tool(tool)
    assert [rule_of(guarded) for _ in range(3)] == ["ran"] * 3
    assert cop.policy is before
    (line,) = policy_lines(agentcop_home)
    assert (line["outcome"], line["policy_digest"]) == ("kept", before.digest)
    assert line["problems"]
    assert cop.counts()["policy_kept"] == 1
    assert caplog.text.count("the last good one stays") == 1


def test_a_file_that_is_gone_leaves_the_last_good_policy_and_one_that_comes_back_is_taken(
    path: Path, agentcop_home: Path
) -> None:
    cop = AgentCop(policy_file=path)
    guarded = cop.tool(tool)
    path.unlink()
    assert rule_of(guarded) == "ran"
    rewrite(path, BLOCKS)
    assert rule_of(guarded) == "gate.block[0]"
    assert [line["outcome"] for line in policy_lines(agentcop_home)] == ["kept", "loosened"]


def test_a_file_that_it_extends_is_watched_too_and_so_is_one_that_it_comes_to_extend(
    path: Path, tmp_path: Path
) -> None:
    base, other = tmp_path / "base.yaml", tmp_path / "other.yaml"
    base.write_text("gate: {allow: [tool]}\n", encoding="utf-8")
    other.write_text("gate: {allow: [tool]}\n", encoding="utf-8")
    path.write_text("extends: base.yaml\nagent_id: a\n", encoding="utf-8")
    guarded = AgentCop(policy_file=path).tool(tool)
    assert rule_of(guarded) == "ran"
    rewrite(base, "gate: {allow: [another]}\n")
    assert rule_of(guarded) == "gate.default"
    rewrite(path, "extends: other.yaml\nagent_id: a\n")
    assert rule_of(guarded) == "ran"
    rewrite(other, "gate: {allow: [another]}\n")
    assert rule_of(guarded) == "gate.default"
    other.unlink()
    assert rule_of(guarded) == "gate.default"


def test_a_link_that_is_turned_to_another_file_is_a_change(tmp_path: Path) -> None:
    for name, text in (("one", ALLOWS), ("two", BLOCKS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(text, encoding="utf-8")
    current = tmp_path / "current"
    current.symlink_to("one")
    guarded = AgentCop(policy_file=current / "policy.yaml").tool(tool)
    assert rule_of(guarded) == "ran"
    current.unlink()
    current.symlink_to("two")
    assert rule_of(guarded) == "gate.block[0]"


def test_a_call_in_flight_finishes_on_the_policy_it_started_with(path: Path, agentcop_home: Path) -> None:
    cop = AgentCop(policy_file=path)
    started, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        started.set()
        go_on.wait(30)
        return "ran"

    path.write_text(ALLOWS.replace("[tool]", "[tool, slow]"), encoding="utf-8")
    guarded, results = cop.tool(slow), []
    running = threading.Thread(target=lambda: results.append(rule_of(guarded)))
    running.start()
    started.wait(30)
    rewrite(path, BLOCKS)
    assert rule_of(cop.tool(tool)) == "gate.block[0]"
    go_on.set()
    running.join()
    assert results == ["ran"]


def test_a_call_that_waits_for_a_person_is_judged_again_by_the_policy_of_then(path: Path) -> None:
    path.write_text("agent_id: a\ngate: {require_approval: [tool]}\n", encoding="utf-8")

    def approve(call: object, deadline: float) -> Approve:
        rewrite(path, BLOCKS)
        return Approve()

    assert rule_of(AgentCop(policy_file=path, approver=approve).tool(tool)) == "gate.block[0]"
    assert RAN == []


def test_a_wider_policy_is_taken_and_nobody_misses_that(
    path: Path, agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(BLOCKS, encoding="utf-8")
    guarded = AgentCop(policy_file=path).tool(tool)
    assert rule_of(guarded) == "gate.block[0]"
    rewrite(path, "agent_id: a\nmode: observe\ngate: {allow: [other]}\n")
    assert rule_of(guarded) == "ran"
    (line,) = policy_lines(agentcop_home)
    assert (line["outcome"], line["mode"]) == ("loosened", "observe")
    assert "mode: enforce → observe" in line["changes"]
    assert 'gate.block: "tool" is gone' in line["changes"]
    assert "the policy of a was loosened: mode: enforce → observe" in caplog.text


def test_a_change_of_comments_alone_is_taken_in_silence(path: Path, agentcop_home: Path) -> None:
    cop = AgentCop(policy_file=path)
    rewrite(path, "# a comment\n" + ALLOWS)
    assert rule_of(cop.tool(tool)) == "ran"
    assert policy_lines(agentcop_home) == []
    assert cop.policy.at("gate.allow[0]") == f"{path}:5:11"


def test_another_agents_policy_is_not_taken(path: Path, agentcop_home: Path) -> None:
    cop = AgentCop(policy_file=path)
    rewrite(path, ALLOWS.replace("agent_id: a", "agent_id: b"))
    assert rule_of(cop.tool(tool)) == "ran"
    assert cop.agent_id == cop.policy.agent_id == "a"
    (line,) = policy_lines(agentcop_home)
    assert "agent_id is 'b' now" in line["problems"]


def test_the_stricter_sandbox_of_the_program_holds_for_the_new_policy_too(path: Path) -> None:
    cop = AgentCop(policy_file=path, sandbox_mode="process")
    rewrite(path, ALLOWS.replace("'1'", "'3'"))
    with pytest.raises(SandboxRefused):
        cop.tool(lambda: path, name="tool")()  # a closure fits into no box
    assert cop.policy.version == "3"
    assert cop.policy.document.sandbox is not None


def test_a_fault_while_reading_leaves_the_last_good_policy(
    path: Path, agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cop = AgentCop(policy_file=path)

    def broken() -> None:
        raise MemoryError

    monkeypatch.setattr(file_of(cop), "_load", broken)
    rewrite(path, BLOCKS)
    assert rule_of(cop.tool(tool)) == "ran"
    (line,) = policy_lines(agentcop_home)
    assert (line["outcome"], line["problems"]) == ("kept", f"{path}: MemoryError")


def test_one_thread_reads_and_the_others_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cop = AgentCop(policy_file=path)
    guarded = cop.tool(tool)
    file, reading, go_on = file_of(cop), threading.Event(), threading.Event()
    load = file._load  # noqa: SLF001 -- held up by the test

    def slowly() -> Any:
        reading.set()
        go_on.wait(30)
        return load()

    monkeypatch.setattr(file, "_load", slowly)
    rewrite(path, BLOCKS)
    results: list[object] = []
    first = threading.Thread(target=lambda: results.append(rule_of(guarded)))
    first.start()
    reading.wait(30)
    assert rule_of(guarded) == "ran", "the policy in force holds until the new one is read"
    go_on.set()
    first.join()
    assert results == ["gate.block[0]"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_reads_the_file_itself_though_the_parent_forked_while_reading(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cop = AgentCop(policy_file=path)
    guarded = cop.tool(tool)
    file, reading, go_on = file_of(cop), threading.Event(), threading.Event()
    load = file._load  # noqa: SLF001 -- held up by the test

    def slowly() -> Any:
        reading.set()
        go_on.wait(30)
        return load()

    monkeypatch.setattr(file, "_load", slowly)
    rewrite(path, BLOCKS)
    thread = threading.Thread(target=rule_of, args=(guarded,))
    thread.start()
    reading.wait(30)
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        file._load = load  # noqa: SLF001 -- as above
        os._exit(0 if rule_of(guarded) == "gate.block[0]" else 1)
    _, status = os.waitpid(child, 0)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


CHANNEL = "monitor: {alert_channels: [{type: slack, webhook: '${HOOK}'}]}\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    with SlackServer() as running:
        monkeypatch.setenv("HOOK", running.url)
        yield running


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (BLOCKS + CHANNEL, "Policy replaced of a"),
        ("agent_id: a\nmode: observe\ngate: {default: allow}\n", "[high] Policy replaced of a"),
        ("nonsense", "Broken policy file, the last good policy stays of a"),
    ],
)
def test_the_people_whom_the_policy_named_are_told(path: Path, server: SlackServer, text: str, title: str) -> None:
    path.write_text(ALLOWS + CHANNEL, encoding="utf-8")
    cop = AgentCop(policy_file=path)
    rewrite(path, text)
    rule_of(cop.tool(tool))
    assert cop._gate.pipeline.alerts.drain(30)  # noqa: SLF001 -- waits for what a thread sends
    told = [message["text"] for message in server.messages]
    assert any(title in each for each in told), told


def test_the_program_ends_though_its_policy_is_watched(path: Path) -> None:
    program = f"from agentcop import AgentCop; AgentCop(policy_file={str(path)!r}).tool(lambda: None, name='tool')()"
    before = set(threading.enumerate())
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    AgentCop(policy_file=path)
    assert set(threading.enumerate()) <= before


def test_a_look_at_the_file_is_due_once_a_second_and_not_at_each_call(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_file, "LOOK_EVERY", 1.0)
    clock = [time.monotonic()]
    cop = AgentCop(policy_file=path)
    file = file_of(cop)
    monkeypatch.setattr(file, "_monotonic", lambda: clock[0])
    looks: list[object] = []
    monkeypatch.setattr(file._watched, "changed", looks.append)  # noqa: SLF001 -- counted
    guarded = cop.tool(tool)
    for _ in range(50):
        guarded()
        clock[0] += 0.1
    assert 4 <= len(looks) <= 6
