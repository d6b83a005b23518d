"""New tool: an agent that is known called a tool that it never called before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_core.alert import fingerprint
from agentcop_detectors.checks._interface import Anomaly, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

KNOWN_RUNS: Final = 10
"""Finished runs after which an agent counts as known: until then every tool is new, and none is news."""
_TOOLS: Final = 1_000
_NAME: Final = 40


class NewTool:
    """One alert for each agent and tool. Tools over a thousand are not told apart any more."""

    name = "new_tool"
    severity: Severity = "medium"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """A tool whose name this agent's state does not hold."""
        tools = state.setdefault("tools", {})
        for step in new:
            tool = step.name if len(step.name) <= _NAME else fingerprint(step.name)
            if step.kind != "tool" or tool in tools or len(tools) >= _TOOLS:
                continue
            tools[tool] = 1
            runs = int(state.get("runs", 0))
            if runs >= KNOWN_RUNS:
                agent = whose(run, step)
                yield Anomaly(
                    check=self.name,
                    severity=self.severity,
                    agent_id=agent,
                    tool=step.name,
                    reason=f"the agent called a tool that it never called in {runs} earlier runs",
                    evidence=(f"it calls {len(tools) - 1} other tools",),
                    trace_id=run.trace_id,
                    span_id=step.span_id,
                    key=f"{self.name}:{agent}:{tool}",
                )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Counts the runs that are over, each once, also where something comes late."""
        if run.closed and run.closings == 1:
            state["runs"] = int(state.get("runs", 0)) + 1
        return ()
