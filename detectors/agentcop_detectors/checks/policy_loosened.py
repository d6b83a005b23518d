"""Policy loosened: an agent's gate stopped enforcing, or judges by a policy that nobody put in the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import Anomaly, by_our_clock, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.policies import Policies
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_PLACES: Final = 32
"""Environments of one agent that are told apart."""
_DIGESTS: Final = 200
_LONGEST: Final = 100
_SHOWN: Final = 12


class PolicyLoosened:
    """One alert for each fall from `enforce` to `observe`, and for each digest in no file of the policies folder.

    Environments are told apart, so that one agent may observe in staging while it enforces in production. Wider rules
    under the same mode are not seen here: that takes both policies, and this knows a digest. An agent for
    which the folder has no file at all is low: nobody said what it should run under.
    """

    name = "policy_loosened"
    severity: Severity = "high"

    def __init__(self, policies: Policies | None = None) -> None:
        """`policies`: the detector's folder; without one nothing is said about digests."""
        self._policies = policies

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Compares the mode of each judged call with that of the latest one before it, by the calls' own times."""
        places = state.setdefault("modes", {})
        for step in new:
            if not step.verdict:
                continue
            place = (step.environment or run.environment)[:_LONGEST]
            mode = "observe" if step.mode == "observe" else "enforce"
            at = by_our_clock(run, step.start)
            known = places.get(place)
            if known is None:
                if len(places) < _PLACES:
                    places[place] = [mode, at]
                continue
            if at < known[1]:
                continue  # it came late: what it says was true before
            fell = known[0] == "enforce" and mode == "observe"
            places[place] = [mode, at]
            if fell:
                yield self._anomaly(
                    run,
                    step,
                    key=f"observe:{place}:{run.trace_id.hex()}",
                    reason="the agent's policy went from mode: enforce to mode: observe: blocked calls run now",
                    evidence=(f"environment {place}" if place else "no environment is named",),
                )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Digests that the folder does not know: not at once, for the agent may have read a new file before we did."""
        policies = self._policies
        if policies is None or not policies.given:
            return
        told = state.setdefault("digests", [])
        for digest in {step.policy_digest: None for step in run.steps if step.policy_digest}:
            if digest[:_SHOWN] in told or policies.knows(digest):
                continue
            step = next(step for step in run.steps if step.policy_digest == digest)
            told.append(digest[:_SHOWN])
            del told[:-_DIGESTS]
            expected = policies.for_agent(whose(run, step))
            there = f"its file there has {expected.digest[:_SHOWN]}" if expected else "no file there is for this agent"
            version = step.policy_version[:_LONGEST] or "not named"
            yield self._anomaly(
                run,
                step,
                key=f"digest:{digest[:64]}",
                reason="the agent is judged by a policy that is in no file of the policies folder",
                severity=self.severity if expected else "low",
                evidence=(f"policy digest {digest[:_SHOWN]}, version {version}", there),
            )

    def _anomaly(  # noqa: PLR0913 -- what an alert says
        self, run: Run, step: Step, *, key: str, reason: str, evidence: tuple[str, ...], severity: Severity = "high"
    ) -> Anomaly:
        agent = whose(run, step)
        return Anomaly(
            check=self.name,
            severity=severity,
            agent_id=agent,
            reason=reason,
            evidence=evidence,
            trace_id=run.trace_id,
            span_id=step.span_id,
            key=f"{self.name}:{agent}:{key}",
        )
