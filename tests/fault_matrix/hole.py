"""What a hole is: a number, a title, and the trials of each cell; or the reason why a cell cannot exist."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.attempt import Bodies, Call, Job, Ran, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fault_matrix.harness import Feature, Harness, Path
    from tests.fault_matrix.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one trial showed."""

    calls: int
    """How many calls were attempted under the gate."""
    bodies_run: int = 0
    """How many bodies ran that must not have."""
    error: str = ""
    """Why the trial proves nothing: its control did not run, or more was stopped than had to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One variant of a hole, on one path of one harness."""

    name: str
    run: Callable[[], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One row of the table."""

    number: int
    title: str
    trials: Callable[[Harness, Path], Sequence[Trial] | str]
    """The trials of a cell, or why there are none. Imports no framework."""


def anything(ran: Ran) -> bool:
    """Every body that ran is one too many."""
    return True


def _no_fault(scene: Scene) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of walking round the gate, to be tried in this process. `gate` forbids what `permitting` permits."""

    name: str
    tools: Callable[[Scene], Sequence[Tool]]
    turns: Sequence[Sequence[Call]] | Callable[[Scene], Sequence[Sequence[Call]]]
    gate: Mapping[str, Any]
    """The policy's `gate:` section."""
    permitting: Mapping[str, Any] | None = field(default_factory=lambda: {"default": "allow"})
    """The same in the control; None: no gate stands there."""
    sections: Mapping[str, Any] = field(default_factory=dict)
    """The policy's other sections."""
    fault: Callable[[Scene], AbstractContextManager[None]] = _no_fault
    """What is wrong, from before the cop is made until the run is over."""
    approver: Callable[[Scene], Callable[..., Any] | None] = lambda scene: None
    forbidden: Callable[[Ran], bool] = anything
    free: int = 0
    """How many of the forbidden runs are none: the one that was approved."""
    control: Callable[[Ran], bool] | None = None
    """What must run in the control; None: what is forbidden."""
    at_least: int = 1
    """How often it must."""
    still: Callable[[Ran], bool] | None = None
    """What must run under the gate as well: siblings of a refused call."""
    needs: tuple[Feature, ...] = ()
    cancels: bool = False
    """The caller stops waiting when the scene's `give_up` is set."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the job."""

    def lacking(self, harness: Harness, path: Path) -> str:
        """Why this cannot be tried there; "" if it can."""
        return next((why for need in self.needs if (why := harness.lacks(need, path))), "")


def cell(variants: Sequence[Variant], harness: Harness, path: Path) -> Sequence[Trial] | str:
    """The trials of those variants that can be tried there; the reason where none can."""
    from tests.fault_matrix.scene import tried

    fitting = [each for each in variants if not each.lacking(harness, path)]
    if not fitting:
        return variants[0].lacking(harness, path)
    way = harness.usual
    return [Trial(name=each.name, run=lambda each=each: tried(each, harness, way(path))) for each in fitting]  # type: ignore[misc]  # mypy does not infer a lambda's default


def hole(number: int, title: str, variants: Sequence[Variant]) -> Hole:
    """A hole whose trials are all tried in this process, by the usual way of each path."""
    return Hole(number=number, title=title, trials=lambda harness, path: cell(variants, harness, path))


__all__ = ["Bodies", "Call", "Hole", "Job", "Outcome", "Trial", "Variant", "anything", "cell", "hole"]
