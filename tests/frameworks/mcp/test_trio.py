"""A client that runs under trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
import trio

from agentcop import AgentCop, Approve, GatePolicy, PolicyBlocked
from mcp_servers import Served, text_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks


def test_calls_are_judged_a_refusal_comes_out_as_itself_and_nobody_can_be_asked(tmp_path: Path) -> None:
    served = Served(tmp_path)
    policy = GatePolicy(allow=["lookup"], require_approval=["slow"], block=["wipe"], on_block="raise")
    cop = AgentCop(agent_id="a", policy=policy, approver=lambda call, deadline: Approve())
    found: list[str] = []

    async def talk() -> None:
        async with served.session("memory") as session:
            cop.wrap(session)
            found.append(text_of(await session.call_tool("lookup", {"query": "x"})))
            with pytest.raises(PolicyBlocked) as unasked:
                await session.call_tool("slow", {"query": "x"})
            assert unasked.value.rule == "gate.error"
            await trio.lowlevel.checkpoint()
            await session.call_tool("wipe", {"path": "y"})

    with pytest.raises(PolicyBlocked) as refused:
        anyio.run(talk, backend="trio")
    assert (refused.value.tool, found, served.ran) == ("wipe", ["found x"], ["lookup x"])
