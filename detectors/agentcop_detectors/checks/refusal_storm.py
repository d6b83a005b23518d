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
_NAME: Final = 200


class RefusalStorm:
    """Five blocks in a run; one alert a run. What `mode: observe` let run counts as well."""

    name = "refusal_storm"
    severity: Severity = "high"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Counts only when a new block came."""
        del state
        fresh = [step for step in new if _blocked(step)]
        if run.blocked < STORM or not fresh:
            return
        blocks = [step for step in run.steps if _blocked(step)] or fresh
        tools, rules = sorted({step.name[:_NAME] for step in blocks}), sorted({step.rule[:_NAME] for step in blocks})
        yield Anomaly(
            check=self.name,
            severity=self.severity,
            agent_id=whose(run),
            tool=fresh[-1].name,
            reason=f"{STORM} or more calls of one run were blocked",
            evidence=(f"{run.blocked} so far", f"tools: {', '.join(tools[:10])}", f"rules: {', '.join(rules[:10])}"),
            trace_id=run.trace_id,
            span_id=fresh[-1].span_id,
            key=f"{self.name}:{run.trace_id.hex()}",
        )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Nothing more."""
        del run, state
        return ()


def _blocked(step: Step) -> bool:
    return step.kind == "tool" and step.verdict == "block"
