"""A tool that runs at the provider is judged when it is offered: by name and configuration, and nobody is asked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop_processor.call.offer import judge_offer
from agentcop_processor.entry import open_entry
from approvals import gate_of, policy_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_processor.entry import Entry


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**gate))


def entered(guard: AgentCop) -> Entry:
    entry = open_entry(gate_of(guard))
    assert entry is not None
    entry.enter()
    return entry


@contextmanager
def entered_until_refused(guard: AgentCop) -> Iterator[None]:
    """A run that is known to end in a refusal."""
    entry = entered(guard)
    yield
    with pytest.raises(PolicyBlocked):
        entry.returned(None)


def lines(guard: AgentCop) -> list[dict[str, Any]]:
    return gatefile.lines(guard.gate_log.parent, "decision")


def test_an_allowed_one_may_be_offered_and_is_written_down_once_a_run() -> None:
    guard = cop(allow=["web_search"])
    for _ in range(2):
        entry = entered(guard)
        judge_offer("web_search", {"size": "medium"})
        judge_offer("web_search", {"size": "medium"})
        judge_offer("web_search", {"size": "high"})
        entry.returned(None)
    assert [(line["tool"], line["verdict"], line["args"]["size"], line["offered"]) for line in lines(guard)] == [
        ("web_search", "allow", "medium", True),
        ("web_search", "allow", "high", True),
    ] * 2
    assert guard.counts() == {"allowed": 4}


@pytest.mark.parametrize("on_block", ["raise", "return_message", "alert"])
def test_another_is_refused_aloud_and_ends_its_run(on_block: Any) -> None:
    guard = cop(allow=["lookup"], on_block=on_block)
    entry = entered(guard)
    with pytest.raises(PolicyBlocked) as refused:
        judge_offer("web_search", {})
    with pytest.raises(PolicyBlocked) as raised:
        entry.returned("it went well")
    assert raised.value is refused.value
    assert guard.counts() == {"blocked": 1}
    assert [(line["tool"], line["verdict"]) for line in lines(guard)] == [("web_search", "block")]


def test_a_change_of_policy_in_a_run_holds_from_the_next_offer_on() -> None:
    guard = cop(allow=["web_search"])
    entry = entered(guard)
    judge_offer("web_search", {})
    gate_of(guard).policy = cop(allow=["lookup"]).policy
    with pytest.raises(PolicyBlocked):
        judge_offer("web_search", {})
    with pytest.raises(PolicyBlocked):
        entry.returned(None)


def test_a_condition_reads_the_configuration() -> None:
    guard = cop(allow=[{"tool": "mcp", "when": 'args.label == "docs"'}])
    entry = entered(guard)
    judge_offer("mcp", {"label": "docs"})
    for configuration in ({"label": "mail"}, {}):
        with pytest.raises(PolicyBlocked):
            judge_offer("mcp", configuration)
    with pytest.raises(PolicyBlocked):
        entry.returned(None)


def test_nobody_is_asked(tmp_path: Path) -> None:
    guard = AgentCop(policy_file=policy_file(tmp_path), approver=lambda call, deadline: pytest.fail("asked"))
    with entered_until_refused(guard), pytest.raises(PolicyBlocked, match="nobody can be asked"):
        judge_offer("pay", {})


def test_a_configuration_that_cannot_be_judged_is_not_offered() -> None:
    guard = cop(default="allow")
    loop: list[Any] = []
    loop.append(loop)
    with entered_until_refused(guard):
        with pytest.raises(PolicyBlocked) as refused:
            judge_offer("web_search", {"loop": loop})
        assert refused.value.verdict is not None
        assert refused.value.verdict.rule == "gate.arguments"


def test_a_policy_that_only_observes_refuses_nothing(tmp_path: Path) -> None:
    guard = AgentCop(policy_file=policy_file(tmp_path, mode="observe"))
    entry = entered(guard)
    judge_offer("pay", {})
    judge_offer("pay", {})
    entry.returned(None)
    assert guard.counts() == {"observed": 1}


def test_a_log_that_cannot_be_written_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = cop(default="allow")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    with entered_until_refused(guard):
        monkeypatch.setattr(gate_of(guard).pipeline.log, "append", full)
        with pytest.raises(PolicyBlocked, match="No space left"):
            judge_offer("web_search", {})


def test_a_fault_of_the_gate_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = cop(default="allow")
    with entered_until_refused(guard):
        monkeypatch.setattr("agentcop_processor.call.offer.frozen_call", lambda *_, **__: 1 / 0)
        with pytest.raises(PolicyBlocked, match="ZeroDivisionError"):
            judge_offer("web_search", {})
