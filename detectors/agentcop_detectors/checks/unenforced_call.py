"""Unenforced call: a tool ran and no gate judged it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_core.alert import fingerprint
from agentcop_detectors.checks._interface import Anomaly, whose
from agentcop_detectors.checks.coverage import covered, lone_transports

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_GRACE: Final = 2_000_000_000
"""Nanoseconds behind the end of a call after which its gate's span, which ends later, must be there too."""
_SCOPES: Final = 500
_NAME: Final = 200
_TOOLS: Final = 10


class UnenforcedCall:
    """One alert for each agent and instrumentation scope; the coverage ledger goes on counting.

    A tool span counts as enforced if it, an ancestor, a descendant, or a sibling with the same tool name and
    overlapping time carries a verdict: other instrumentors open tool spans beside ours. A request to a server without a
    tool span around it, as a bare client sends one, is a call too.
    """

    name = "unenforced_call"
    severity: Severity = "critical"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Nothing yet: the span that carries the verdict may still be on its way."""
        del run, new, state
        return ()

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Every call that is long enough over."""
        over = bool(run.closed) or run.full
        horizon = run.ended if over else run.ended - _GRACE
        suspects = [step for step in run.steps if step.kind == "tool" and not step.verdict and step.end <= horizon]
        if over:  # before, the tool's own span may only not have ended yet
            suspects += [step for step in lone_transports(run) if not step.verdict]
        if not suspects:
            return
        judged = covered(run)
        suspects = [step for step in suspects if step.span_id not in judged]
        for step in suspects:
            agent, scope = whose(run, step), step.scope or "no named scope"
            told = state.setdefault("told", [])
            mark = fingerprint(agent, scope)
            if mark in told or len(told) >= _SCOPES:
                continue
            told.append(mark)
            yield Anomaly(
                check=self.name,
                severity=self.severity,
                agent_id=agent,
                tool=step.name,
                reason=f"the tool ran and no gate judged the call (spans of {scope[:_NAME]})",
                evidence=(f"{len(suspects)} tool calls of this run carry no verdict", *_named(suspects)),
                trace_id=run.trace_id,
                span_id=step.span_id,
                key=f"{self.name}:{agent}:{scope}",
            )


def _named(steps: Sequence[Step]) -> tuple[str, ...]:
    names = sorted({step.name[:_NAME] for step in steps})
    more = f" … +{len(names) - _TOOLS}" if len(names) > _TOOLS else ""
    return (f"tools: {', '.join(names[:_TOOLS])}{more}",)
