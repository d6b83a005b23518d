"""A yes is stretched: to other arguments, to another time, to another tool, or is said by the agent itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import BLOCKED, both

from agentcop import Approve, Deny
from agentcop_control.ledger import LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fault_matrix.attempt import Ran
    from tests.fault_matrix.scene import Scene

    from agentcop import ToolCall

_HOLDS = {"require_approval": ["pay"], "on_block": "return_message", "max_refusals": 1_000}
_SHORT = {"approvals": {"timeout": "50ms"}}


def _pay(scene: Scene) -> list[Tool]:
    def body(request: Any) -> str:
        """Pay."""
        return scene.bodies.note("pay", amount=request["amount"])

    return [Tool(name="pay", body=body)]


def _paying(amount: int) -> Call:
    return Call(tool="pay", arguments={"request": {"amount": amount}})


def _amount(call: ToolCall) -> object:
    plain: Any = call.arguments.plain
    return plain["request"]["amount"]


def _once(scene: Scene) -> Callable[..., Any]:
    """Yes to the first question in the trial, to every one in the control."""
    asked: list[ToolCall] = []

    def approver(call: ToolCall, deadline: float) -> Approve | Deny:
        asked.append(call)
        return Approve(by="ann") if len(asked) == 1 or not scene.gated else Deny("once is enough", by="ann")

    return approver


def _small_ones(scene: Scene) -> Callable[..., Any]:
    def approver(call: ToolCall, deadline: float) -> Approve | Deny:
        return Approve(by="ann") if _amount(call) == 1 or not scene.gated else Deny("too much", by="ann")

    return approver


def _submitted(scene: Scene) -> Callable[..., Any]:
    """Says yes to one; the caller's own dict says something else by then."""

    def approver(call: ToolCall, deadline: float) -> Approve | Deny:
        if scene.job is not None:
            scene.job.calls[0].arguments["request"]["amount"] = 1_000_000
        return Approve(by="ann") if _amount(call) == 1 else Deny("too much", by="ann")

    return approver


def _from_inside(scene: Scene) -> Callable[..., Any]:
    """Code in the agent's process answers in the ledger itself; the person says no."""

    def approver(call: ToolCall, deadline: float) -> Approve | Deny:
        if not scene.gated:
            return Approve(by="ann")
        for approval in LEDGER.pending():
            LEDGER.answer(approval.id, Approve(), by="the agent")
        return Deny("I said no", by="ann")

    return approver


def _from_inside_late(scene: Scene) -> Callable[..., Any]:
    """The same, and the person never answers."""

    def approver(call: ToolCall, deadline: float) -> Approve:
        import time

        if scene.gated:
            for approval in LEDGER.pending():
                LEDGER.answer(approval.id, Approve(), by="the agent")
            time.sleep(0.5)
        return Approve(by="ann")

    return approver


def _large(ran: Ran) -> bool:
    return bool(ran.arguments["amount"] > 1)


def _is_read(ran: Ran) -> bool:
    return ran.tool == "read_file"


HOLE = hole(
    12,
    "an approval is stretched or forged",
    [
        Variant(
            name="used twice",
            tools=_pay,
            turns=[[_paying(1)], [_paying(1)], [_paying(1)]],
            gate=_HOLDS,
            permitting=_HOLDS,
            approver=_once,
            free=1,
            at_least=2,
        ),
        Variant(
            name="used for other arguments",
            tools=_pay,
            turns=[[_paying(1)], [_paying(1_000_000)]],
            gate=_HOLDS,
            permitting=_HOLDS,
            approver=_small_ones,
            forbidden=_large,
        ),
        Variant(
            name="changed after it was submitted",
            tools=_pay,
            turns=lambda scene: [[_paying(1 if scene.gated else 2)]],
            gate=_HOLDS,
            permitting=None,
            approver=_submitted,
            forbidden=_large,
            needs=("objects",),
        ),
        Variant(
            name="answered from inside the agent",
            tools=_pay,
            turns=[[_paying(1)]],
            gate=_HOLDS,
            permitting=_HOLDS,
            approver=_from_inside,
        ),
        Variant(
            name="answered from inside, and by nobody else",
            tools=_pay,
            turns=[[_paying(1)]],
            gate=_HOLDS,
            permitting=_HOLDS,
            sections=_SHORT,
            approver=_from_inside_late,
        ),
        Variant(name="nobody to ask", tools=_pay, turns=[[_paying(1)]], gate=_HOLDS, permitting={"default": "allow"}),
        Variant(
            name="edited into another tool",
            tools=both,
            turns=[[Call(tool="search", arguments={"query": "x"})]],
            gate=BLOCKED,
            forbidden=_is_read,
            needs=("editing",),
            options={"edited": Call(tool="read_file", arguments={"path": "/etc/shadow"})},
        ),
    ],
)
