"""Where a boxed call goes: a warm box or a new one, one call, its answer, and the box's end."""

from __future__ import annotations

import atexit
import json
import logging
import os
import weakref
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape, shorten
from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox.answer import given
from agentcop_processor.sandbox.conversation import Box
from agentcop_processor.sandbox.engine import EngineDown, LinkLost
from agentcop_processor.sandbox.engines.choice import Choice
from agentcop_processor.sandbox.inside.values import Unsendable, encode
from agentcop_processor.sandbox.outlets import Outlets
from agentcop_processor.sandbox.pool import Kind, Pool, Waiting
from agentcop_processor.sandbox.probe import misses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_processor.sandbox.answer import Given
    from agentcop_processor.sandbox.conversation import Reply
    from agentcop_processor.sandbox.engine import Engine
    from agentcop_processor.sandbox.parcel import Parcel
    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger("agentcop")
_SHOWN: Final = 2_000


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """No box can be had, or the call cannot travel: the tool has not run. The message says why, and the way out."""


class Lease:
    """One box for one call. Used by one thread at a time; `close` by any."""

    def __init__(self, runner: Runner, waiting: Waiting, parcel: Parcel) -> None:
        """`waiting`: taken from the pool, or just made; the parcel is loaded in it."""
        self._runner = runner
        self._waiting = waiting
        self._parcel = parcel
        self._ended = False

    @property
    def engine(self) -> str:
        """Which engine runs the box: `docker`, `podman` or `process`."""
        return self._waiting.box.link.engine

    def run(self, tool: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Given:
        """Run the tool in the box; blocks up to the policy's time-out and two seconds.

        Raises what the tool raised; SandboxError where it did not come to its end; Refused where its arguments cannot
        travel; `answer.Unloadable` where it could not be made in the box.
        """
        settings = self._waiting.kind.settings
        try:
            arguments = json.dumps({"args": encode(list(args)), "kwargs": encode(dict(kwargs))}).encode()
        except Unsendable as error:
            self.close()
            raise Refused(f"its arguments cannot travel into a box ({error}): pass plain values") from None
        try:
            reply = self._waiting.box.call(arguments, settings.timeout)
        except LinkLost as lost:
            self.close()
            reply = _lost(lost)
        except BaseException:
            self.close()
            raise
        _tell(tool, reply)
        self._end(again=reply.status == "ok")
        return given(tool, reply, settings)

    def close(self) -> None:
        """The box is not needed any more: kill it, unless it is already gone. Never raises."""
        self._end(again=False)

    def _end(self, *, again: bool) -> None:
        if self._ended:
            return
        self._ended = True
        if again and self._waiting.kind.settings.reuse == "per_agent":
            self._runner.wait_again(self._waiting)
        else:
            self._waiting.box.close()


def _lost(lost: LinkLost) -> Reply:
    from agentcop_processor.sandbox.conversation import Reply

    _log.warning("agentcop: a box was lost: %s", lost)
    return Reply(
        status="timeout" if lost.late else "crashed", exit=None, ms=0.0, result=b"", stdout=b"", stderr=b"", cut=0
    )


def _tell(tool: str, reply: Reply) -> None:
    """Log what the tool wrote to its standard output and error: for whoever debugs it."""
    if reply.cut:
        _log.warning("agentcop: %s wrote %d bytes more than sandbox.max_stdout keeps", tool, reply.cut)
    for name, text in (("output", reply.stdout), ("error", reply.stderr)):
        if text and _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "agentcop: %s: standard %s: %s", tool, name, shorten(escape(text.decode(errors="replace")), _SHOWN)
            )


class Runner:
    """The boxes of one process and state folder. Thread-safe."""

    def __init__(self, home: Path) -> None:
        """`home`: the state folder, which no box ever sees."""
        self._choice = Choice()
        self._outlets = Outlets(home)
        self._pool = Pool(self._make)
        _runners.add(self)
        atexit.register(self.close)

    def lease(self, settings: Settings, parcel: Parcel, agent: str) -> Lease:
        """A box with the tool loaded, probed. Blocks: milliseconds from the pool, up to ten seconds else.

        Raises Refused.
        """
        try:
            mounts = self._outlets.mounts(settings, parcel)
            kind = Kind(settings=settings, mounts=mounts, agent=agent if settings.reuse == "per_agent" else "")
            waiting = self._pool.take(kind, parcel) or Waiting(kind=kind, box=self._open(kind), parcel=None, since=0.0)
            if waiting.parcel is None:
                prepare(waiting.box, settings, parcel)
            self._pool.refill(kind, parcel)
        except EngineDown as down:
            raise Refused(str(down)) from None
        except LinkLost as lost:
            raise Refused(f"the box was lost before the tool ran ({lost})") from None
        return Lease(self, waiting, parcel)

    def wait_again(self, waiting: Waiting) -> None:
        """Let a box that served a call serve the next of the same agent."""
        self._pool.put(Waiting(kind=waiting.kind, box=waiting.box, parcel=None, since=waiting.since))

    def close(self) -> None:
        """Kill every box that waits."""
        self._pool.close()
        self._outlets.close()

    def forget(self) -> None:
        """In a forked child: what the parent has is the parent's."""
        self._pool.forget()
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


def opened(engine: Engine, kind: Kind) -> Box:
    """A new box of this engine that has been probed. Blocks up to 20 s. Raises EngineDown."""
    box = started(engine, kind)
    if missed := misses(box.facts, engine.expected(kind.settings)):
        box.close()
        raise EngineDown(f"the box of {engine.name} does not hold: {'; '.join(missed)}")
    return box


def started(engine: Engine, kind: Kind) -> Box:
    """A new box that has said what it is; nobody has compared that yet. Blocks up to 20 s. Raises EngineDown."""
    settings = kind.settings
    box = Box(engine.start(settings, kind.mounts), settings)
    try:
        box.open(_confine(engine, settings), egress=settings.network != "none")
    except LinkLost as lost:
        said = box.link.stderr().strip()
        box.close()
        raise EngineDown(f"the box of {engine.name} did not open ({lost}{'; ' if said else ''}{said})") from None
    except BaseException:
        box.close()
        raise
    return box


def prepare(box: Box, settings: Settings, parcel: Parcel) -> None:
    """Have the tool loaded in the box, with the variables that the policy names. Raises LinkLost."""
    missing = [name for name in settings.env if name not in os.environ]
    if missing:
        _log.warning("agentcop: sandbox.env names variables that are not set here: %s", ", ".join(missing))
    message = {
        "module": parcel.module,
        "name": parcel.name,
        "source": parcel.source,
        "init": None if parcel.init is None else encode(dict(parcel.init)),
        "method": parcel.method,
        "path": list(parcel.path),
        "env": {name: os.environ[name] for name in settings.env if name in os.environ},
    }
    box.prepare(json.dumps(message).encode())


def _confine(engine: Engine, settings: Settings) -> Mapping[str, object] | None:
    """What the child limits itself to, where no cgroup does it."""
    if engine.name != "process":
        return None
    return {
        "as": settings.memory,
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
