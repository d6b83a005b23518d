"""Where a tool's method is handed its box: a fault of the adapter's is a refusal, and leaves no box behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest

from agentcop import AgentCop, PolicyBlocked
from agentcop._seams import tool_calls
from agentcop.adapters._interface import ParsedCall, ToolTarget
from agentcop_processor.call.seam import admit
from agentcop_processor.sandbox.boxes import runner
from agentcop_processor.sandbox.parcel import Parcel
from exporting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RAN: list[object] = []


class Tool:
    """A framework's tool."""

    def run(self, query: str) -> str:
        RAN.append(query)
        return query


class Lease:
    """A box."""

    engine = "docker"
    ended = False

    def __init__(self) -> None:
        self.closed = 0

    def lease(self, *_: object) -> Lease:
        return self

    def close(self) -> None:
        self.closed += 1


def fails(*_: object) -> Never:
    raise TypeError("no such tool")


@pytest.mark.parametrize(
    "broken", [{"run": fails}, {"boxed": fails}, {"stand_in": fails}], ids=["arguments", "its arguments", "stand-in"]
)
def test_where_the_adapter_fails_the_call_is_refused_and_its_box_is_gone(
    broken: dict[str, Callable[..., Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RAN.clear()
    file = tmp_path / "policy.yaml"
    file.write_text("agent_id: a\ngate: {default: allow}\nsandbox: {network: none}\n", encoding="utf-8")
    gate = AgentCop(policy_file=file)._gate  # noqa: SLF001 -- behind a cop, which its user never sees
    lease = Lease()
    monkeypatch.setattr(runner, "runner_for", lambda home: lease)
    tool = Tool()
    as_it_is: Callable[..., Any] = lambda values: ((), dict(values))  # noqa: E731 -- one of two
    parsed = ParsedCall(
        arguments={"query": "x"}, run=broken.get("run", as_it_is), boxed=broken.get("boxed", as_it_is), call_id=""
    )
    target = ToolTarget(
        owner=Tool, attribute="run", parse=lambda *_: parsed, stand_in=broken.get("stand_in", lambda tool, *_: tool)
    )
    passage = admit(
        "search", parsed.arguments, (gate,), owner=tool, way="Tool.run", ship=lambda: Parcel(module="m", name="n")
    )
    assert passage is not None
    with pytest.raises(PolicyBlocked):
        tool_calls._entered(target, tool, parsed, passage, ("search", (gate,)), ((tool,), {"query": "x"}))  # noqa: SLF001 -- the place
    until(lambda: lease.closed == 1)
    assert RAN == []
