"""Unenforced call: a tool ran and no gate judged it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import Anomaly, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_GRACE: Final = 2_000_000_000
"""Nanoseconds behind the end of a call after which its gate's span, which ends later, must be there too."""
_SCOPES: Final = 50
_TOOLS: Final = 10


class UnenforcedCall:
    """One alert for each agent and instrumentation scope; the coverage ledger goes on counting.

    A tool span counts as enforced if it, an ancestor, a descendant, or a sibling with the same tool name and
    overlapping time carries a verdict: other instrumentors open tool spans beside ours.
    """

    name = "unenforced_call"
    severity: Severity = "critical"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Nothing yet: the span that carries the verdict may still be on its way."""
        del run, new, state
        return ()

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Every call that is long enough over."""
        horizon = run.ended if run.closed else run.ended - _GRACE
        suspects = [step for step in run.steps if step.kind == "tool" and not step.verdict and step.end <= horizon]
        if not suspects:
            return
        enforced = _enforced(run.steps)
        for step in suspects:
            if step.span_id in enforced:
                continue
            agent, scope = whose(run, step), step.scope or "no named scope"
            told = state.setdefault("told", {})
            if scope in told or len(told) >= _SCOPES:
                continue
            told[scope] = step.name[:200]
            yield Anomaly(
                check=self.name,
                severity=self.severity,
                agent_id=agent,
                tool=step.name,
                reason=f"the tool ran and no gate judged the call (spans of {scope})",
                evidence=(f"{len(suspects)} tool calls of this run carry no verdict", *_named(suspects)),
                trace_id=run.trace_id,
                span_id=step.span_id,
                key=f"{self.name}:{agent}:{scope}",
            )


def coverage(run: Run) -> dict[str, tuple[int, int]]:
    """The ledger of one run: instrumentation scope to the numbers of enforced and of unenforced tool calls."""
    enforced = _enforced(run.steps)
    ledger: dict[str, tuple[int, int]] = {}
    for step in run.steps:
        if step.kind == "tool":
            good, bad = ledger.get(step.scope, (0, 0))
            good, bad = (good + 1, bad) if step.span_id in enforced else (good, bad + 1)
            ledger[step.scope] = (good, bad)
    return ledger


def _enforced(steps: Sequence[Step]) -> set[bytes]:
    """Ids of the spans that count as judged. Linear in the steps and the depth of their tree."""
    by_id = {step.span_id: step for step in steps}
    enforced: set[bytes] = set()
    for step in steps:
        if not step.verdict:
            continue
        at: Step | None = step
        while at is not None and at.span_id not in enforced:
            enforced.add(at.span_id)
            at = by_id.get(at.parent_id)
    judged = {step.span_id for step in steps if step.verdict}
    below: dict[bytes, bool] = {}
    for step in steps:
        if _below(step, by_id, judged, below):
            enforced.add(step.span_id)
    beside: dict[tuple[bytes, str], list[Step]] = {}
    for step in steps:
        if step.verdict:
            beside.setdefault((step.parent_id, step.name), []).append(step)
    for step in steps:
        if step.span_id not in enforced and any(
            step.start <= other.end and other.start <= step.end for other in beside.get((step.parent_id, step.name), ())
        ):
            enforced.add(step.span_id)
    return enforced


def _below(step: Step, by_id: dict[bytes, Step], judged: set[bytes], known: dict[bytes, bool]) -> bool:
    """Whether a judged span stands above `step`; a tree that a hostile sender bent into a ring ends too."""
    path: list[bytes] = []
    at: Step | None = step
    answer = False
    while at is not None:
        if at.span_id in known:
            answer = known[at.span_id]
            break
        known[at.span_id] = False
        path.append(at.span_id)
        if at.parent_id in judged:
            answer = True
            break
        at = by_id.get(at.parent_id)
    for span_id in path:
        known[span_id] = answer
    return answer


def _named(steps: Sequence[Step]) -> tuple[str, ...]:
    names = sorted({step.name for step in steps})
    more = f" … +{len(names) - _TOOLS}" if len(names) > _TOOLS else ""
    return (f"tools: {', '.join(names[:_TOOLS])}{more}",)
