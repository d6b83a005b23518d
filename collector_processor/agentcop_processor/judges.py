"""Whose policy judges a call: the floor, and then the nearest cop.

Seams are class-wide, a policy belongs to an agent. The process's cop, if armed, always judges. Besides it judges the
innermost run's cop; else the cops registered for this tool object; else every cop with a run in flight, so that a
tool body on a raw thread, which has lost its context, is still governed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentcop_processor.gate import Gate, live_gates

if TYPE_CHECKING:
    from agentcop_policies import Policy
    from agentcop_processor.runs import Run


class Seat(NamedTuple):  # a tuple because one is made for every call
    """One gate with the policy by which it judges one call: a policy that is replaced meanwhile changes nothing."""

    gate: Gate
    policy: Policy

    @property
    def enforces(self) -> bool:
        """Whether what it says stops a call."""
        return self.gate.judging and self.policy.document.mode == "enforce"


def seated(gates: tuple[Gate, ...]) -> tuple[Seat, ...]:
    """The gates with their policies of this moment, which hold for the call that begins now."""
    if len(gates) == 1:
        return (Seat(gates[0], gates[0].policy_now()),)
    return tuple(Seat(gate, gate.policy_now()) for gate in gates)


def answering(bench: tuple[Seat, ...]) -> Seat:
    """In whose name the gate itself refuses: the nearest that enforces, so that none that only observes lifts it.

    Where none does, the nearest that judges at all.
    """
    for seat in reversed(bench):
        if seat.enforces:
            return seat
    return next((seat for seat in reversed(bench) if seat.gate.judging), bench[-1])


class _Floor:
    """Holds the armed process's gate."""

    gate: Gate | None = None


def set_floor(gate: Gate | None) -> None:
    """Make `gate` judge every call of this process; None disarms."""
    _Floor.gate = gate


def floor() -> Gate | None:
    """The armed process's gate, if it is armed."""
    return _Floor.gate


def judges(registered: tuple[Gate, ...], run: Run | None) -> tuple[Gate, ...]:
    """The gates that judge this call, the floor first; empty if nobody governs it."""
    near = (run.gate,) if run is not None else registered or tuple(gate for gate in live_gates() if gate.in_flight)
    floor = _Floor.gate
    if floor is None or floor in near:
        return near
    return (floor, *near)
