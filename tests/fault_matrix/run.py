"""Plans the cells, and tries those of this interpreter one after another."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fault_matrix.harness import PATHS
from tests.fault_matrix.kept import KEPT
from tests.fault_matrix.report import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tests.fault_matrix.harness import Harness
    from tests.fault_matrix.harness import Path as CallPath
    from tests.fault_matrix.hole import Hole, Trial

_PATIENCE = 180
"""Seconds that one cell may take, before every thread's stack is shown and the run ends."""
Planned = tuple["Hole", "Harness", "CallPath", "Sequence[Trial] | str"]


def planned(holes: Iterable[Hole], harnesses: Iterable[Harness]) -> Iterator[Planned]:
    """Every cell there is, with its trials or the reason why it has none. Imports no framework."""
    harnesses = tuple(harnesses)
    for hole in holes:
        for harness in harnesses:
            for path in PATHS:
                ways = harness.ways[path]
                yield hole, harness, path, ways if isinstance(ways, str) else hole.trials(harness, path)


def expected(plan: Iterable[Planned]) -> list[Cell]:
    """The cells of a plan as they must come out: nothing ran."""
    return [_cell(*each) for each in plan]


def _cell(hole: Hole, harness: Harness, path: CallPath, trials: Sequence[Trial] | str) -> Cell:
    return Cell(
        hole=hole.number,
        title=hole.title,
        adapter=harness.name,
        environment=harness.environment,
        path=path,
        not_applicable=trials if isinstance(trials, str) else "",
        trials=0 if isinstance(trials, str) else len(trials),
    )


def carried_out(plan: Iterable[Planned], say: Callable[[str], object]) -> list[Cell]:
    """The same cells, tried. One that raises is an error of its own, not the end of the run."""
    cells = []
    for hole, harness, path, trials in plan:
        cell = _cell(hole, harness, path, trials)
        if not isinstance(trials, str):
            began = time.monotonic()
            cell = _tried(cell, trials)
            took = time.monotonic() - began
            say(f"{hole.number:>2} {harness.name}, {path}: {cell.trials} trials, {cell.bodies_run} ran, {took:.1f} s")
            for problem in (*cell.errors, *cell.ran):
                say(f"   {problem}")
        cells.append(cell)
    return cells


def _tried(cell: Cell, trials: Sequence[Trial]) -> Cell:
    ran, errors, bodies = [], [], 0
    for trial in trials:
        faulthandler.dump_traceback_later(_PATIENCE, exit=True)
        try:
            outcome = trial.run()
        except Exception as error:
            errors.append(f"{trial.name}: {type(error).__name__}: {error}")
            continue
        finally:
            faulthandler.cancel_dump_traceback_later()
        bodies += outcome.bodies_run
        if outcome.bodies_run:
            ran.append(f"{trial.name}: {outcome.bodies_run} of {outcome.calls} calls ran")
        if outcome.error:
            errors.append(f"{trial.name}: {outcome.error}")
    return Cell(
        hole=cell.hole,
        title=cell.title,
        adapter=cell.adapter,
        environment=cell.environment,
        path=cell.path,
        trials=cell.trials,
        bodies_run=bodies,
        errors=tuple(errors),
        ran=tuple(ran),
    )


@contextmanager
def surroundings() -> Iterator[None]:
    """A temporary folder, a state folder in it, none of this shell's settings, and nobody who writes on stderr."""
    for name in [name for name in os.environ if name.startswith(("AGENTCOP_", "OTEL_"))]:
        del os.environ[name]
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda unraisable: None
    with tempfile.TemporaryDirectory(prefix="fault-matrix-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = folder
        os.environ["AGENTCOP_HOME"] = str(Path(folder) / "home")
        with KEPT:
            yield
