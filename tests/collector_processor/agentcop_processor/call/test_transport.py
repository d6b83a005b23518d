"""Which calls on their way to a server are those that a tool above was judged for, without any server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop_processor.call.seam import admit
from agentcop_processor.call.transport import REMOTE, Crossing, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_processor.call.passage import Passage
    from agentcop_processor.gate import Gate

WAY = "tests.Tool.run"


class Tool:
    """Declares that its server calls it `search`."""

    declared = "search"


@pytest.fixture(autouse=True)
def _declaring() -> Iterator[None]:
    REMOTE[WAY] = lambda tool: str(tool.declared)
    yield
    del REMOTE[WAY]


def gate_of(*allow: str) -> Gate:
    """The gate behind a cop, which its user never sees."""
    return AgentCop(agent_id="a", policy=GatePolicy(allow=list(allow)))._gate  # noqa: SLF001 -- as above


def entered(gate: Gate, name: str, owner: object = None, **arguments: Any) -> Passage:
    passage = admit(name, arguments, (gate,), owner=owner, way=WAY)
    assert passage is not None
    passage.enter()
    passage.started()
    return passage


def sent(gate: Gate, name: str, *, again: bool = False, **arguments: Any) -> Passage:
    """A call on its way to the server, begun."""
    passage = admit(name, arguments, (gate,), owner="session", way="send", transport=Transport(again=again))
    assert passage is not None
    passage.enter()
    passage.started()
    return passage


def decided(home: Path) -> list[str]:
    return [str(line["tool"]) for line in gatefile.lines(home, "decision")]


@pytest.mark.parametrize("name", ["files_search", "search"])
def test_under_its_own_name_or_the_one_that_it_declares_a_call_is_judged_once(name: str, agentcop_home: Path) -> None:
    gate = gate_of(name)
    above = entered(gate, name, Tool(), query="x")
    sent(gate, "search", query="x").returned("found")
    above.returned("found")
    assert decided(agentcop_home) == [name]
    assert [line["tool"] for line in gatefile.lines(agentcop_home, "outcome")] == [name]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("search", {"query": "y"}), ("files_searc", {"query": "x"}), ("earch", {"query": "x"}), ("wipe", {"query": "x"})],
)
def test_anything_else_is_judged(name: str, arguments: dict[str, Any]) -> None:
    gate = gate_of("files_search")
    above = entered(gate, "files_search", Tool(), query="x")
    with pytest.raises(PolicyBlocked):
        sent(gate, name, again=False, **arguments)
    above.returned(None)


def test_a_tool_that_declares_nothing_or_cannot_say_carries_only_its_own_name(caplog: pytest.LogCaptureFixture) -> None:
    gate = gate_of("files_search", "mine")
    silent = Tool()
    silent.declared = ""
    for owner in (silent, object()):
        above = entered(gate, "files_search", owner, query="x")
        with pytest.raises(PolicyBlocked):
            sent(gate, "search", query="x")
        above.returned(None)
    assert "could not be read" in caplog.text


def test_an_object_that_only_looks_the_same_is_judged(agentcop_home: Path) -> None:
    gate = gate_of("search")
    above = entered(gate, "search", connection=threading.Lock())
    sent(gate, "search", connection=threading.Lock()).returned(None)
    above.returned(None)
    assert decided(agentcop_home) == ["search", "search"]


def test_another_gate_judges_what_it_has_not_judged() -> None:
    above = entered(gate_of("search"), "search", query="x")
    with pytest.raises(PolicyBlocked):
        sent(gate_of("other"), "search", query="x")
    above.returned(None)


def test_a_call_goes_over_once_again_after_a_failure_and_as_often_as_its_server_leaves_it_open(
    agentcop_home: Path,
) -> None:
    gate = gate_of("search")
    above = entered(gate, "search", query="x")
    sent(gate, "search", query="x").failed(ConnectionError())
    sent(gate, "search", query="x").returned("left open")
    sent(gate, "search", again=True, query="x").returned("found")
    assert decided(agentcop_home) == ["search"]
    sent(gate, "search", query="x").returned("found")
    above.returned(None)
    assert decided(agentcop_home) == ["search", "search"]


def test_of_threads_that_send_a_call_at_once_one_carries_it() -> None:
    crossing, start = Crossing(), threading.Barrier(8)
    begun: list[bool] = []

    def send() -> None:
        start.wait()
        begun.append(crossing.begin(Transport()))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == [False] * 7 + [True]


def test_a_call_that_cannot_be_judged_is_refused_and_carried_by_nothing() -> None:
    gate = gate_of("search")
    above = entered(gate, "search", query="x")
    with pytest.raises(PolicyBlocked) as refused:
        admit("search", {"query": "x"}, (gate,), way="send", unfit="it hides its name", transport=Transport())
    above.returned(None)
    assert (refused.value.rule, refused.value.reason) == ("gate.arguments", "it hides its name")
