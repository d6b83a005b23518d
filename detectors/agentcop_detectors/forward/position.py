"""How far the segment log was forwarded, on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from agentcop_detectors.segments.tail import BEGINNING, Position

if TYPE_CHECKING:
    from pathlib import Path


def load_position(path: Path) -> Position:
    """Where to go on; the beginning where nothing was forwarded yet, or the file is damaged."""
    try:
        said = orjson.loads(path.read_bytes())
        return Position(int(said["segment"]), int(said["offset"]))
    except (OSError, ValueError, KeyError, TypeError):
        return BEGINNING


def save_position(path: Path, position: Position) -> None:
    """Keep it. Raises OSError."""
    new = path.with_suffix(".new")
    new.write_bytes(orjson.dumps({"segment": position.segment, "offset": position.offset}))
    new.replace(path)
