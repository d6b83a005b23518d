"""A call with a box: its verdict is lent to nothing that runs here, and giving it up holds nobody up."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Never

import pytest

from agentcop import AgentCop, SandboxRefused
from agentcop_processor.call.seam import admission, admit
from agentcop_processor.call.transport import Transport
from agentcop_processor.sandbox.boxes import runner
from agentcop_processor.sandbox.boxes.lease import Refused
from agentcop_processor.sandbox.boxing import Boxing, run_boxed
from agentcop_processor.sandbox.parcel import Parcel
from exporting import until

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.call.passage import Passage
    from agentcop_processor.gate import Gate

AMPLE = 20.0
TOOL = object()
KEY = "ghp_" + "a1B2c3D4e5F6" * 3


class Lease:
    """A box that was had, and takes as long to be killed as an engine that hangs."""

    engine = "docker"
    ended = False

    def __init__(self) -> None:
        self.closing = threading.Event()
        self.may_end = threading.Event()
        self.closed = threading.Event()

    def heard(self) -> None:
        pass

    def run(self, *_: object) -> Never:
        raise Refused(f"KeyError: '{KEY}'")

    def close(self) -> None:
        self.closing.set()
        self.may_end.wait(AMPLE)
        self.closed.set()


class Runner:
    """Gives the one box."""

    def __init__(self, lease: Lease) -> None:
        self.given = lease

    def lease(self, *_: object) -> Lease:
        return self.given


@pytest.fixture
def lease(monkeypatch: pytest.MonkeyPatch) -> Lease:
    made = Lease()
    monkeypatch.setattr(runner, "runner_for", lambda home: Runner(made))
    return made


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    file = tmp_path / "policy.yaml"
    file.write_text("agent_id: a\ngate: {default: allow}\nsandbox: {network: none}\n", encoding="utf-8")
    return AgentCop(policy_file=file)._gate  # noqa: SLF001 -- behind a cop, which its user never sees


def ship() -> Parcel:
    return Parcel(module="tools", name="search")


def entered(gate: Gate, way: str = "Tool.run") -> Passage:
    passage = admit("search", {"query": "x"}, (gate,), owner=TOOL, way=way, ship=ship)
    assert passage is not None
    passage.enter()
    passage.started()
    return passage


def test_another_method_of_the_tool_with_the_same_arguments_gets_a_box_too(gate: Gate, lease: Lease) -> None:
    lease.may_end.set()
    outer = entered(gate)
    again = entered(gate, "Tool.arun")
    assert outer.box is not None
    assert again.box is not None, "a callback on the host that calls the tool once more must not run its body there"
    assert again.box is not outer.box
    again.returned("x")
    outer.returned("x")


def test_a_call_to_a_server_is_no_part_of_a_boxed_call(gate: Gate, lease: Lease) -> None:
    lease.may_end.set()
    outer = entered(gate)
    with pytest.raises(SandboxRefused):
        admit("search", {"query": "x"}, (gate,), owner="session", way="send", transport=Transport(again=False))
    outer.returned("x")


def test_a_call_that_is_given_up_does_not_hold_up_its_thread_until_an_engine_answers(gate: Gate, lease: Lease) -> None:
    passage = entered(gate)
    passage.failed(asyncio.CancelledError())
    assert lease.closing.wait(AMPLE)
    assert not lease.closed.is_set()
    lease.may_end.set()
    until(lease.closed.is_set)


def test_a_call_given_up_while_its_box_is_made_has_that_box_killed(gate: Gate, lease: Lease) -> None:
    lease.may_end.set()
    boxing = admission("search", {"query": "x"}, (gate,), owner=TOOL, way="Tool.run", ship=ship)
    assert isinstance(boxing, Boxing)
    boxed: Any = boxing._boxed  # noqa: SLF001 -- what a cancelled caller closes
    boxed.close()
    boxed.get("a")
    until(lease.closed.is_set)


def test_what_a_box_says_where_there_is_none_is_told_without_the_keys_in_it(
    gate: Gate, lease: Lease, agentcop_home: Path
) -> None:
    lease.may_end.set()
    passage = entered(gate)
    with pytest.raises(SandboxRefused, match="KeyError") as refused:
        run_boxed(passage, (), {})
    passage.suspend()
    assert KEY not in str(refused.value)
    assert not any(KEY in each.read_text() for each in agentcop_home.rglob("*.log"))
