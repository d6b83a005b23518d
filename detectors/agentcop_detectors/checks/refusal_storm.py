"""Refusal storm: one run was refused again and again, and went on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import Anomaly, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

STORM: Final = 5


class RefusalStorm:
    """Five blocks in a run; one alert a run. What `mode: observe` let run counts as well."""

    name = "refusal_storm"
    severity: Severity = "high"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Counts only when a new block came."""
        del state
        if not any(step.verdict == "block" for step in new):
            return
        blocks = [step for step in run.steps if step.verdict == "block"]
        if len(blocks) < STORM:
            return
        tools = sorted({step.name for step in blocks})
        yield Anomaly(
            check=self.name,
            severity=self.severity,
            agent_id=whose(run),
            tool=blocks[STORM - 1].name,
            reason=f"{len(blocks)} calls of one run were blocked",
            evidence=(f"tools: {', '.join(tools[:10])}", f"rules: {', '.join(sorted({s.rule for s in blocks})[:10])}"),
            trace_id=run.trace_id,
            span_id=blocks[STORM - 1].span_id,
            key=f"{self.name}:{run.trace_id.hex()}",
        )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Nothing more."""
        del run, state
        return ()
