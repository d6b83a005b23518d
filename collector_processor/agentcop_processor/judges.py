"""Whose policy judges a call: the floor, and then the nearest cop.

Seams are class-wide, a policy belongs to an agent. The process's cop, if armed, always judges. Besides it judges the
innermost run's cop; else the cops registered for this tool object; else every cop with a run in flight, so that a
tool body on a raw thread, which has lost its context, is still governed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_processor.gate import Gate, live_gates

if TYPE_CHECKING:
    from agentcop_processor.runs import Run


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
