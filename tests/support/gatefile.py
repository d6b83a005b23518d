"""gate.log as a test reads it: every line parsed, in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def lines(home: Path, kind: str = "") -> list[dict[str, Any]]:
    """The lines of this state folder's gate.log, of one kind if given; none if there is no file."""
    path = home / "gate.log"
    if not path.exists():
        return []
    parsed = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in parsed if not kind or line["kind"] == kind]
