"""Gate block: a call was refused, and the agent's own process did not tell anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import Anomaly, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.policies import Policies
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_QUIET: Final = frozenset({"raise", "return_message"})


class GateBlock:
    """One alert for each blocked call whose span does not say that the agent's process sends it.

    A policy in the folder whose `on_block` asks for no alert is heeded here as it is there.
    """

    name = "gate_block"
    severity: Severity = "high"

    def __init__(self, policies: Policies | None = None) -> None:
        """`policies`: the detector's folder, if it has one."""
        self._policies = policies

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Every block that nobody told of."""
        del state
        for step in new:
            if step.kind != "tool" or step.verdict != "block" or step.alert == "agent":
                continue
            agent = whose(run, step)
            if self._asks_for_none(agent):
                continue
            observed = step.mode == "observe"
            told = "the tool ran, under mode: observe" if observed else "the tool did not run"
            yield Anomaly(
                check=self.name,
                severity=self.severity,
                agent_id=agent,
                tool=step.name,
                reason=step.reason or f"the gate blocked the call by {step.rule or 'a rule that is not named'}",
                evidence=(f"{told}; rule {step.rule or 'not named'}", "the agent's process sent no alert of it"),
                trace_id=run.trace_id,
                span_id=step.span_id,
                key=f"{self.name}:{run.trace_id.hex()}:{step.span_id.hex()}",
            )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Nothing more."""
        del run, state
        return ()

    def _asks_for_none(self, agent: str) -> bool:
        policy = self._policies.for_agent(agent) if self._policies is not None else None
        return policy is not None and policy.document.gate.on_block in _QUIET
