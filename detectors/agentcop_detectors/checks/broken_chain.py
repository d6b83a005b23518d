"""Broken chain: the head of gate.log that travels on an agent's spans went backwards, or forked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import Anomaly, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_WRITERS: Final = 64
_SEEN: Final = 256
"""Sequence numbers of one writer that are remembered, to know a fork from a span that is merely late."""


class BrokenChain:
    """A writer's sequence number that came with two hashes. Heads come late and out of order, which breaks nothing.

    That a chain was cut off or rewritten as a whole is found by `agentcop gate verify --heads`, which reads the log.
    """

    name = "broken_chain"
    severity: Severity = "critical"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Compares each head with what the same writer sent under the same number."""
        writers = state.setdefault("writers", {})
        for step in new:
            writer, number, digest = _head(step.log_head)
            if not writer:
                continue
            seen = writers.pop(writer, {})
            writers[writer] = seen  # the last used stands last
            if len(writers) > _WRITERS:
                writers.pop(next(iter(writers)))
            before = seen.get(number)
            if before is None:
                seen[number] = digest
                if len(seen) > _SEEN:
                    seen.pop(min(seen, key=int))
            elif before != digest:
                agent = whose(run, step)
                yield Anomaly(
                    check=self.name,
                    severity=self.severity,
                    agent_id=agent,
                    tool=step.name,
                    reason=f"line {number} of gate.log's writer {writer} was seen with two different hashes",
                    evidence=("gate.log was rewritten, or two processes write in one writer's name",),
                    trace_id=run.trace_id,
                    span_id=step.span_id,
                    key=f"{self.name}:{agent}:{writer}:{number}",
                )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Nothing more."""
        del run, state
        return ()


def _head(text: str) -> tuple[str, str, str]:
    """Writer, number and hash of `writer:seq:hash`; empty where it is none."""
    writer, _, rest = text.partition(":")
    number, _, digest = rest.partition(":")
    if not writer or len(writer) > 64 or not number.isdecimal() or len(number) > 20 or not digest:  # noqa: PLR2004 -- bounds
        return "", "", ""
    return writer, number, digest[:64]
