"""Where a boxed call finds its box: a warm one or a new one, opened, probed and with the tool loaded."""

from __future__ import annotations

import atexit
import json
import logging
import os
import time
import weakref
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape
from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox.boxes.conversation import Box
from agentcop_processor.sandbox.boxes.lease import Lease, Once, Refused, Room
from agentcop_processor.sandbox.boxes.outlets import Outlets
from agentcop_processor.sandbox.boxes.pool import Kind, Pool, Waiting
from agentcop_processor.sandbox.boxes.probe import misses
from agentcop_processor.sandbox.boxes.reaper import Reaper
from agentcop_processor.sandbox.engine import EngineDown, LinkLost
from agentcop_processor.sandbox.engines.choice import Choice
from agentcop_processor.sandbox.inside.wire.frames import MAX_FRAME
from agentcop_processor.sandbox.inside.wire.values import encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_processor.sandbox.engine import Engine
    from agentcop_processor.sandbox.parcel import Parcel
    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger("agentcop")
MOST_RUNNING: Final = 32
"""How many calls are in boxes at a time, in one process and state folder; a further one waits, and is then refused."""
MOST_LEFT: Final = 64
"""How many boxes of calls that are over may wait to be removed; while there are more, no further call gets one."""
_TO_WAIT: Final = 10.0

_CODE = 1 << 28  # bytes of address space that a process may have for code, and to reserve without ever using it


class Runner:
    """The boxes of one process and state folder. Thread-safe."""

    def __init__(self, home: Path) -> None:
        """`home`: the state folder, which no box ever sees."""
        self._choice = Choice()
        self._outlets = Outlets(home)
        self._reaper = Reaper()
        self._pool = Pool(self._make, end=self._reaper.take)
        self._room = Room(MOST_RUNNING)
        _runners.add(self)
        atexit.register(self.close)

    def lease(self, settings: Settings, parcel: Parcel, agent: str) -> Lease:
        """A box with the tool loaded, probed. Raises Refused.

        Blocks: milliseconds from the pool, up to ten seconds for a new one, and ten more where too many are in use.
        """
        deadline = time.monotonic() + _TO_WAIT
        if not self._reaper.settled(MOST_LEFT, _TO_WAIT):
            raise Refused(f"{self._reaper.left()} boxes of calls that are over could not be removed yet")
        if not self._room.enter(max(0.0, deadline - time.monotonic())):
            raise Refused(f"{MOST_RUNNING} calls are in boxes already, and none ended in {_TO_WAIT:g} s")
        room = Once(self._room.leave)
        try:
            return Lease(self._box(settings, parcel, agent), partial(self._back, room), room)
        except BaseException:
            room()
            raise

    def _box(self, settings: Settings, parcel: Parcel, agent: str) -> Waiting:
        try:
            mounts = self._outlets.mounts(settings, parcel)
            kind = Kind(
                settings=settings,
                mounts=mounts,
                way_out=self._outlets.way_out(settings),
                agent=agent if settings.reuse == "per_agent" else "",
            )
            waiting = self._warm(kind, parcel)
            if waiting is None:
                waiting = Waiting(kind=kind, box=self._make(kind, parcel), parcel=parcel)
            try:
                self._pool.refill(kind, parcel)
            except BaseException:
                self._reaper.take(waiting.box)
                raise
        except EngineDown as down:
            raise Refused(str(down)) from None
        except LinkLost as lost:
            raise Refused(f"the box was lost before the tool ran ({lost})") from None
        return waiting

    def close(self) -> None:
        """Kill every box that waits, and those whose call is over. Blocks up to ten seconds, and five for a proxy."""
        self._pool.close()
        self._reaper.close()
        self._outlets.close()

    def _warm(self, kind: Kind, parcel: Parcel) -> Waiting | None:
        """A box that waits with the parcel loaded, and still lives. An engine that was restarted has left dead ones."""
        while (waiting := self._pool.take(kind, parcel)) is not None:
            ready = False
            try:
                ready = _ready(waiting.box)
            finally:
                if not ready:
                    self._reaper.take(waiting.box)
            if ready:
                return waiting
            _log.warning("agentcop: a box that waited is gone; another one is made")
        return None

    def _back(self, room: Once, waiting: Waiting, again: bool) -> None:  # noqa: FBT001 -- as a Lease calls it
        """Let a box that served a call serve the next of the same agent, or have it killed."""
        room()
        if again and _loaded_again(waiting):
            self._pool.put(waiting)
        else:
            self._reaper.take(waiting.box)

    def forget(self) -> None:
        """In a forked child: what the parent has is the parent's."""
        self._choice = Choice()  # connections to an engine are the parent's too
        self._pool.forget()
        self._reaper.forget()
        self._room = Room(MOST_RUNNING)
        self._outlets.forget()

    def _make(self, kind: Kind, parcel: Parcel) -> Box:
        box = self._open(kind)
        try:
            prepare(box, kind.settings, parcel)
        except BaseException:
            box.close()
            raise
        return box

    def _open(self, kind: Kind) -> Box:
        """Start a box and have it say what it is. Raises EngineDown where none can be had, or it does not hold."""
        return self._choice.first(kind.settings, lambda engine: opened(engine, kind))


def _loaded_again(waiting: Waiting) -> bool:
    """Have a box that served a call load the same tool at once, for the next; False: it is gone."""
    try:
        prepare(waiting.box, waiting.kind.settings, waiting.parcel)
    except LinkLost:
        return False
    except Exception:
        _log.exception("agentcop: a box could not load its tool again, and is killed")  # its call has been answered
        return False
    return True


def _ready(box: Box) -> bool:
    """Whether it still lives, with nothing of an earlier call left."""
    try:
        box.cleaned()
    except LinkLost:
        return False
    return box.link.alive()


def opened(engine: Engine, kind: Kind) -> Box:
    """A new box of this engine that has been probed. Blocks up to 20 s. Raises EngineDown."""
    box = started(engine, kind)
    if missed := misses(box.facts, engine.expected(kind.settings)):
        box.close()
        raise EngineDown(f"the box of {engine.name} does not hold: {escape('; '.join(missed))}", wrong=True)
    return box


def started(engine: Engine, kind: Kind) -> Box:
    """A new box that has said what it is; nobody has compared that yet. Blocks up to 20 s. Raises EngineDown."""
    settings = kind.settings
    box = _begun(engine, kind)
    try:
        box.open(_confine(engine, settings), egress=settings.network != "none")
    except LinkLost as lost:
        said = box.link.stderr().strip()
        box.close()
        raise EngineDown(
            f"the box of {engine.name} did not open ({lost}{'; ' if said else ''}{escape(said)})"
        ) from None
    except BaseException:
        box.close()
        raise
    return box


def _begun(engine: Engine, kind: Kind) -> Box:
    """A box that nobody has spoken to yet, with its own door to the proxy. Raises EngineDown."""
    settings, way_out = kind.settings, kind.way_out
    if way_out is None:
        return Box(engine.start(settings, kind.mounts), settings)
    try:
        door = way_out.door()
    except OSError as error:
        raise EngineDown(f"the way out of the box cannot be opened: {error}") from error
    try:
        link = engine.start(settings, (*kind.mounts, door.mount))
    except BaseException:
        way_out.shut(door)
        raise
    return Box(link, settings, heard=door.hearing.taken, closed=lambda: way_out.shut(door))


def prepare(box: Box, settings: Settings, parcel: Parcel) -> None:
    """Have the tool loaded in the box, with the variables that the policy names. Raises LinkLost, Refused."""
    if missing := tuple(name for name in settings.env if name not in os.environ):
        _say_unset(missing)
    message = {
        "module": parcel.module,
        "name": parcel.name,
        "source": parcel.source,
        "init": None if parcel.init is None else encode(dict(parcel.init)),
        "method": parcel.method,
        "path": list(parcel.path),
        "env": {name: os.environ[name] for name in settings.env if name in os.environ},
    }
    parcelled = json.dumps(message).encode()
    if len(parcelled) > MAX_FRAME:
        raise Refused(
            f"the tool's text and the variables of sandbox.env are longer than a box takes: {MAX_FRAME >> 20}MiB"
        )
    box.prepare(parcelled)


@lru_cache(maxsize=64)
def _say_unset(names: tuple[str, ...]) -> None:
    """Once for the same names: every box is prepared."""
    _log.warning("agentcop: sandbox.env names variables that are not set here: %s", ", ".join(names))


def _confine(engine: Engine, settings: Settings) -> Mapping[str, object] | None:
    """What each process of the tool limits itself to, where no cgroup does it; `memory` is of all of them."""
    if engine.name != "process":
        return None
    return {
        "as": settings.memory + _CODE,
        "data": settings.memory,
        "memory": settings.memory,
        "nproc": settings.pids,
        "nofile": 1_024,
        "fsize": settings.tmpfs,
        "landlock": True,
    }


_runners: weakref.WeakSet[Runner] = weakref.WeakSet()
_by_home: dict[Path, Runner] = {}
_lock = safe_lock()


def runner_for(home: Path) -> Runner:
    """The runner of this state folder, made at its first use."""
    with _lock, IMPORTING:
        runner = _by_home.get(home)
        if runner is None:
            runner = _by_home[home] = Runner(home)
        return runner


def _after_fork() -> None:
    for runner in list(_runners):
        runner.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
