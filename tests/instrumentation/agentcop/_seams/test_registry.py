"""Who governs which object: names are fixed where an object is first met, and nothing outlives the object."""

from __future__ import annotations

import gc

from agentcop import AgentCop, GatePolicy
from agentcop._seams.registry import name_tool, register, registered
from approvals import gate_of


class Thing:
    """A tool or an agent."""


def gate() -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(allow=["search"]))


def test_a_tool_that_was_named_keeps_its_name_and_has_no_gate() -> None:
    tool = Thing()
    name_tool(tool, "wipe")
    name_tool(tool, "search")
    found = registered(tool, "tool")
    assert found is not None
    assert (found.name, found.gates) == ("wipe", ())


def test_a_tool_that_is_guarded_after_it_was_named_has_the_name_that_was_asked_for() -> None:
    tool, cop = Thing(), gate()
    name_tool(tool, "wipe")
    register(tool, "tool", "web_wipe", gate_of(cop))
    name_tool(tool, "search")
    found = registered(tool, "tool")
    assert found is not None
    assert (found.name, found.gates) == ("web_wipe", (gate_of(cop),))


def test_a_name_goes_with_its_tool() -> None:
    tool = Thing()
    name_tool(tool, "wipe")
    number = id(tool)
    del tool
    gc.collect()
    others = [Thing() for _ in range(100)]
    assert all(registered(other, "tool") is None for other in others if id(other) == number)
