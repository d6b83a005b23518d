"""One file a hole, numbered as the design numbers them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fault_matrix.hole import Hole


def holes() -> tuple[Hole, ...]:
    """All of them, in order."""
    files = sorted(Path(__file__).parent.glob("h[0-9][0-9]_*.py"))
    return tuple(import_module(f"{__name__}.{file.stem}").HOLE for file in files)
