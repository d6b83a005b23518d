"""The policies that the benchmark judges by, and the call it judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop import GatePolicy
from agentcop_core.canonical import digest, freeze
from agentcop_core.session import Session
from agentcop_core.toolcall import ToolCall
from agentcop_policies import Policy

if TYPE_CHECKING:
    from collections.abc import Callable


def policy_of(rules: int) -> Policy:
    """`rules` rules over as many tools: three have a condition, one of these is on `refund`; the rest are names."""
    conditions = [{"tool": tool, "when": "args.amount > 100.0"} for tool in ("refund", "transfer", "pay")]
    names = rules - len(conditions) - 1
    gate = GatePolicy(
        allow=["refund", *(f"allowed_{number}" for number in range(names // 2))],
        require_approval=conditions,
        block=[f"blocked_{number}" for number in range(names - names // 2)],
    )
    return Policy.from_gate(gate, agent_id="bench")


def call_of(tool: Callable[..., object], note: str) -> tuple[ToolCall, Session]:
    """A frozen call of `refund` with 200 bytes of arguments, and a fresh session."""
    arguments = freeze({"order": "o-1", "amount": 12.5, "note": note, "currency": "EUR"})
    name = tool.__name__
    return ToolCall(tool=name, arguments=arguments, digest=digest(name, arguments)), Session("bench")
