"""What is protected at this moment, and where relative paths start: remembered, and looked at again when due."""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

import orjson

from agentcop_core.locks import safe_lock
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
    has_links: bool
    """Whether `names` has the links. Not while the folder is being changed: reading it at each call would cost."""
    folds: bool
    """Whether one of them can stand there in a form that lower-casing bytes does not find."""


_lock = safe_lock()


class _Last:
    """What was found last, and what shows that it still holds."""

    around: Around | None = None
    until = 0.0
    changes = -1
    stamp: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Of the working folder when its links were read; zeros if it may have changed since without telling."""


def around() -> Around:
    """The places of every cop of this process, and the working folder. Costs one system call if nothing changed."""
    now, last = time.monotonic(), _Last
    try:
        found = os.stat(".")
        stamp = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_dev)
    except OSError:
        stamp = (0, 0, 0, 0)
    # Read before what it vouches for, and written after it: so no thread takes an old view for a new one.
    seen = last.stamp
    known = last.around
    fresh = known is not None and now < last.until and last.changes == gate_changes()
    if known is not None and fresh and stamp == seen:
        return known
    with _lock:
        changes = gate_changes()
        places = known.places if known is not None and fresh else _places()
        settled = abs(time.time() - max(stamp[1], stamp[2]) / 1e9) >= _SETTLED
        made = _look(places, links=settled)
        last.until = last.until if fresh else now + _AGAIN_AFTER
        last.around, last.changes = made, changes
        last.stamp = stamp if settled else (-1, -1, -1, -1)
    return made


def with_links(here: Around) -> Around:
    """The same with the working folder's links among the names."""
    return here if here.has_links else _look(here.places, links=True)


def _look(places: Places, *, links: bool) -> Around:
    try:
        folder = os.getcwd()
    except OSError:
        return Around(places, "", frozenset(), (), has_links=True, folds=False)
    found = set(places.next_names(folder))
    if links:
        found.update(_links(folder, places))
    names = frozenset(name.casefold() for name in found)
    folds = not all(name.isascii() and name.isprintable() for name in found)
    written = tuple(orjson.dumps(name)[1:-1] for name in names if name.isprintable())
    return Around(places, folder, names, written, has_links=links, folds=folds)


def _places() -> Places:
    gates = live_gates()
    return Places(
        dict.fromkeys(str(gate.pipeline.home) for gate in gates),
        dict.fromkeys(file for gate in gates for file in gate.policy_files()),
    )


def _links(folder: str, places: Places) -> set[str]:
    """The links in a folder that lead to a place or above one."""
    resolver = Resolver(places)
    found = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    place, real = resolver.lead(os.path.join(folder, entry.name))
                    if place is not None or real in places.above:
                        found.add(entry.name)
    except OSError:
        return found  # a folder that cannot be listed: its links are found where they are named with a `/`
    return found
