"""What is protected at this moment, and where relative paths start: remembered, and looked at again when due."""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

import orjson

from agentcop_processor.gate import gate_changes, live_gates
from agentcop_processor.protected.places import Places
from agentcop_processor.protected.resolver import Resolver

# Paths stay text: see places.
# ruff: noqa: PTH109, PTH116, PTH118

_AGAIN_AFTER: Final = 5.0  # seconds after which a file that was replaced, or a link that was turned, is looked at anew
_SETTLED: Final = 2.0  # seconds after which a folder's time of change tells of every change: some count that coarsely


class Around(NamedTuple):
    """What a call's arguments are held against."""

    places: Places
    folder: str
    """The working folder, where relative paths start; "" if it is gone."""
    names: frozenset[str]
    """The names in it, casefolded, that lead on to a protected place, by themselves or by a link."""
    written: tuple[bytes, ...]
    """The same as they stand in canonical arguments."""


class _Known(NamedTuple):
    around: Around
    until: float
    changes: int
    stamp: tuple[int, int, int]
    """Of the working folder when its links were read; zeros if it may have changed since without telling."""


class _Last:
    known: _Known | None = None


def around() -> Around:
    """The places of every cop of this process, and the working folder. Costs two system calls if nothing changed."""
    known, now = _Last.known, time.monotonic()
    try:
        folder, found = os.getcwd(), os.stat(".")
        stamp = (found.st_dev, found.st_ino, found.st_mtime_ns)
    except OSError:
        folder, stamp = "", (0, 0, 0)
    if known is not None and now < known.until and known.changes == gate_changes():
        if stamp == known.stamp and folder == known.around.folder:
            return known.around
        places, until, changes = known.around.places, known.until, known.changes
    else:
        changes, until = gate_changes(), now + _AGAIN_AFTER
        places = _places()
    names = _names(folder, places) if folder else frozenset()
    written = tuple(orjson.dumps(name)[1:-1] for name in names if name.isprintable())
    found_around = Around(places, folder, names, written)
    settled = abs(time.time() - stamp[2] / 1e9) >= _SETTLED
    _Last.known = _Known(found_around, until, changes, stamp if settled else (0, 0, 0))
    return found_around


def _places() -> Places:
    gates = live_gates()
    return Places(
        dict.fromkeys(str(gate.pipeline.home) for gate in gates),
        dict.fromkeys(file for gate in gates for file in gate.policy_files()),
    )


def _names(folder: str, places: Places) -> frozenset[str]:
    """The names in a folder that lead to a place or above one, links among them."""
    resolver = Resolver(places)
    found = set(places.next_names(folder))
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    place, real = resolver.lead(os.path.join(folder, entry.name))
                    if place is not None or places.is_above(real):
                        found.add(entry.name)
    except OSError:
        pass  # a folder that cannot be listed: its links are found where they are named with a `/`
    return frozenset(name.casefold() for name in found)
