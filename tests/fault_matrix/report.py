"""What came out: one record a cell, in memory, as JSON, and put together from several environments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

from tests.fault_matrix.harness import Path as CallPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One hole, on one path of one kind of agent."""

    hole: int
    title: str
    adapter: str
    environment: str
    path: CallPath
    trials: int = 0
    """How many variants were tried."""
    bodies_run: int = 0
    """How many bodies ran that must not have."""
    not_applicable: str = ""
    """Why this cell cannot exist."""
    errors: tuple[str, ...] = ()
    """What makes it prove nothing."""
    ran: tuple[str, ...] = ()
    """The variants whose bodies ran."""


def totals(cells: Sequence[Cell]) -> dict[str, int]:
    """The figures that count. `cells` are those that were tried."""
    return {
        "bodies_run": sum(cell.bodies_run for cell in cells),
        "errors": sum(len(cell.errors) for cell in cells),
        "cells": sum(not cell.not_applicable for cell in cells),
        "not_applicable": sum(bool(cell.not_applicable) for cell in cells),
        "trials": sum(cell.trials for cell in cells),
    }


def passed(cells: Sequence[Cell]) -> bool:
    """Nothing ran, nothing went wrong, and something was tried."""
    found = totals(cells)
    return found["bodies_run"] == 0 and found["errors"] == 0 and found["cells"] > 0


def write_json(cells: Sequence[Cell], path: Path) -> None:
    """The totals first, then every cell on a line of its own."""
    lines = ",\n".join("  " + json.dumps(asdict(cell), ensure_ascii=False) for cell in cells)
    head = "".join(f' "{name}": {value},\n' for name, value in totals(cells).items())
    path.write_text(f'{{\n{head} "matrix": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def read_json(paths: Iterable[Path]) -> list[Cell]:
    """The cells of several files, as one run. Raises ValueError where a cell is there twice."""
    cells: dict[tuple[object, ...], Cell] = {}
    for path in paths:
        for record in json.loads(path.read_text(encoding="utf-8"))["matrix"]:
            cell = _cell(record)
            key = (cell.hole, cell.adapter, cell.environment, cell.path)
            if key in cells:
                message = f"{path}: {key} is there twice"
                raise ValueError(message)
            cells[key] = cell
    return sorted(cells.values(), key=lambda cell: cell.hole)


def _cell(record: dict[str, Any]) -> Cell:
    if record["path"] not in get_args(CallPath):
        message = f"no such path: {record['path']!r}"
        raise ValueError(message)
    return Cell(**{**record, "errors": tuple(record["errors"]), "ran": tuple(record["ran"])})
