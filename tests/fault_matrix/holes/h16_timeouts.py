"""Whoever should decide does not answer, or the caller stops waiting: that is no yes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.attempt import Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import READ, read_file

from agentcop import Approve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fault_matrix.scene import Scene

    from agentcop import ToolCall

_HOLDS = {"require_approval": ["read_file"], "on_block": "return_message"}
_SHORT = {"approvals": {"timeout": "50ms"}}
_LATE = 0.4
"""Seconds until the yes comes that nobody waits for any more."""


def _late(scene: Scene) -> Callable[..., Any]:
    def approver(call: ToolCall, deadline: float) -> Approve:
        if scene.gated:
            time.sleep(_LATE)
        return Approve(by="ann")

    return approver


def _late_coroutine(scene: Scene) -> Callable[..., Any]:
    async def approver(call: ToolCall, deadline: float) -> Approve:
        if scene.gated:
            await asyncio.sleep(_LATE)
        return Approve(by="ann")

    return approver


def _raises(scene: Scene) -> Callable[..., Any]:
    def approver(call: ToolCall, deadline: float) -> Approve:
        if scene.gated:
            raise TimeoutError("the approver's own time-out")
        return Approve(by="ann")

    return approver


def _says_nothing(scene: Scene) -> Callable[..., Any]:
    return lambda call, deadline: None if scene.gated else Approve(by="ann")


def _awaited(scene: Scene) -> list[Tool]:
    async def body(path: str) -> str:
        """Read a file."""
        return scene.bodies.note("read_file", path=path)

    return [Tool(name="read_file", body=body)]


def _after_all(scene: Scene) -> Callable[..., Any]:
    """Answers in time, but after the caller gave up."""

    def approver(call: ToolCall, deadline: float) -> Approve:
        if scene.gated:
            scene.give_up.set()
            time.sleep(_LATE)
        return Approve(by="ann")

    return approver


_APPROVERS = {
    "a late yes": _late,
    "a late yes of a coroutine": _late_coroutine,
    "an approver that raises": _raises,
    "an approver that says nothing": _says_nothing,
}
HOLE = hole(
    16,
    "a time-out counts as no decision",
    [
        *(
            Variant(
                name=name,
                tools=read_file,
                turns=READ,
                gate=_HOLDS,
                permitting=_HOLDS,
                sections=_SHORT if name.startswith("a late") else {},
                approver=approver,
            )
            for name, approver in _APPROVERS.items()
        ),
        Variant(
            name="the caller is cancelled",
            tools=_awaited,
            turns=READ,
            gate=_HOLDS,
            permitting={"default": "allow"},
            approver=_after_all,
            needs=("async", "async bodies"),
            cancels=True,
        ),
    ],
)
