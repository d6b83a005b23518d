"""The tool: runs one probe by its names, and gives back what came of it."""

from __future__ import annotations

import importlib

from .tries import Tries


def run(theme: str, probe: str, given: dict[str, object]) -> dict[str, list[str]]:
    """`given`: the probe's other arguments."""
    tries = Tries()
    getattr(importlib.import_module(f".{theme}", __package__), probe)(tries, **given)
    return {"achieved": tries.achieved, "refused": tries.refused, "seen": tries.seen}
