"""Warm boxes: opened and probed beforehand, with a tool loaded that was called before."""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from agentcop_core.locks import safe_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.boxes.conversation import Box
    from agentcop_processor.sandbox.egress.way_out import Egress
    from agentcop_processor.sandbox.engine import Mount
    from agentcop_processor.sandbox.parcel import Parcel
    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger("agentcop")

_MOST: Final = 16
"""How many boxes wait in one process, all kinds together: the one that has waited longest goes first."""
_STALE: Final = 600.0
"""Seconds after which a box that nobody took is thrown away: what it has loaded is of then."""
_HEAD_START: Final = 0.02
"""Seconds for which a box that is wanted beforehand waits for the call that took the last one: most are over by then,
and starting a box beside a call takes the call longer than it takes."""
_LOOK: Final = 60.0
"""Seconds between two looks for such boxes, while nothing is ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Which boxes may stand for one another."""

    settings: Settings
    mounts: tuple[Mount, ...]
    way_out: Egress | None = None
    """The proxy to which each of them has a door of its own; None: there is no network."""
    agent: str = ""
    """Whose, where boxes are used again; "" where each serves one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A box that waits."""

    kind: Kind
    box: Box
    parcel: Parcel
    """What it has loaded."""
    since: float = 0.0
    """When it began to wait, by the pool's clock; the pool says it."""


class Pool:
    """The warm boxes of one process. Thread-safe; nothing here waits for an engine but the thread that makes boxes."""

    def __init__(
        self,
        make: Callable[[Kind, Parcel], Box],
        clock: Callable[[], float] = time.monotonic,
        *,
        end: Callable[[Box], object] = lambda box: box.close(),
    ) -> None:
        """`make`: opens a box and prepares the parcel in it; blocks, and may raise anything.

        `end`: kills one that is not needed any more, and neither raises nor blocks.
        """
        self._make = make
        self._end = end
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._coming: list[tuple[Kind, Parcel]] = []
        self._lock = safe_lock()
        self._wanted: queue.SimpleQueue[tuple[float, Kind, Parcel] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._worker: threading.Thread | None = None
        self._closed = False

    def take(self, kind: Kind, parcel: Parcel) -> Waiting | None:
        """A warm box of this kind that has the parcel loaded; None: there is none."""
        self._drop_stale()
        with self._lock:
            for each in self._waiting:
                if each.kind == kind and each.parcel == parcel:
                    self._waiting.remove(each)
                    return each
        return None

    def refill(self, kind: Kind, parcel: Parcel) -> None:
        """Have boxes of this kind made in the background, as many as the policy's `pool` says. Never blocks.

        Where there is no room for a thread none is made, and that is logged: the next call makes its own.
        """
        wanted = (kind, parcel)
        with self._lock:
            present = sum(each.kind == kind and each.parcel == parcel for each in self._waiting)
            missing = kind.settings.pool - present - self._coming.count(wanted)
            missing = min(missing, _MOST - len(self._coming))
            if self._closed or missing <= 0:
                return
            if self._worker is None or not self._worker.is_alive():
                worker = threading.Thread(target=self._work, name="agentcop-sandbox-refill", daemon=True)
                try:
                    worker.start()
                except RuntimeError as error:  # no room for a thread, or the interpreter ends
                    _log.warning("agentcop: no box is made ready beforehand: %s", error)
                    return
                self._worker = worker
            self._coming += [wanted] * missing
            for _ in range(missing):
                self._wanted.put((time.monotonic() + _HEAD_START, kind, parcel))

    def counts(self) -> tuple[int, int]:
        """How many boxes wait, and how many are being made."""
        with self._lock:
            return len(self._waiting), len(self._coming)

    def put(self, waiting: Waiting) -> None:
        """Let a box wait, from now on; the pool's bound holds."""
        waiting = replace(waiting, since=self._clock())
        with self._lock:
            gone = [waiting] if self._closed else self._waiting[: max(0, len(self._waiting) + 1 - _MOST)]
            if not self._closed:
                self._waiting = [*self._waiting[len(gone) :], waiting]
        for each in gone:
            self._end(each.box)

    def close(self) -> None:
        """Have every box that waits killed, and make no more."""
        with self._lock:
            self._closed = True
            gone, self._waiting = self._waiting, []
        self._ended.set()
        self._wanted.put(None)
        for each in gone:
            self._end(each.box)

    def forget(self) -> None:
        """In a forked child: the boxes are the parent's. Nothing is killed; this process's ends of the pipes go."""
        gone, self._waiting, self._coming, self._worker = self._waiting, [], [], None
        self._wanted, self._ended = queue.SimpleQueue(), threading.Event()
        for each in gone:
            each.box.link.abandon()

    def _drop_stale(self) -> None:
        now = self._clock()
        with self._lock:
            gone = [each for each in self._waiting if now - each.since > _STALE]
            if gone:
                self._waiting = [each for each in self._waiting if now - each.since <= _STALE]
        for each in gone:
            self._end(each.box)

    def _work(self) -> None:
        while True:
            try:
                wanted = self._wanted.get(timeout=_LOOK)
            except queue.Empty:
                self._drop_stale()
                continue
            if wanted is None:
                return
            when, kind, parcel = wanted
            self._ended.wait(max(when - time.monotonic(), 0.0))
            self._fill(kind, parcel)

    def _fill(self, kind: Kind, parcel: Parcel) -> None:
        box: Box | None = None
        try:
            box = None if self._closed else self._make(kind, parcel)
        except Exception as error:
            # The call that needs it will make its own, and fail with the reason.
            if not self._closed and (kind.way_out is None or kind.way_out.alive):  # else what it needs is put away
                _log.warning("agentcop: no box could be made ready beforehand: %s", error)
        finally:
            with self._lock:
                self._coming.remove((kind, parcel))
        if box is not None:
            self.put(Waiting(kind=kind, box=box, parcel=parcel))
