"""One policy's way out: a proxy in a thread of its own, and the folder of it that a box sees."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from agentcop_core.filelock import try_lock
from agentcop_core.home import make_private
from agentcop_core.locks import safe_lock
from agentcop_processor.sandbox.egress.authority import system_certificates
from agentcop_processor.sandbox.egress.door import Door
from agentcop_processor.sandbox.egress.outside import Outside
from agentcop_processor.sandbox.egress.proxy import Proxy
from agentcop_processor.sandbox.egress.rules import rules_of
from agentcop_processor.sandbox.egress.tally import Tally
from agentcop_processor.sandbox.egress.traffic.carrying import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_processor.sandbox.engine import Mount
    from agentcop_processor.sandbox.settings import Settings

CERTIFICATES: Final = "ca.pem"
_SEEN: Final = "seen"
_LOCK: Final = "lock"
_UNLOCKED: Final = "unlocked"
_STOP: Final = 5.0


def egress_for(
    settings: Settings, folder: Path, *, outside: Outside | None = None, limits: Limits | None = None
) -> Egress | None:
    """A way out as `settings` have it, listening when this returns; None for `network: none`.

    Its files lie in a folder of their own below `folder`, which only this user can enter: of the host's other users
    none can connect. Blocks some milliseconds. Raises ValueError for settings that name no place, OSError.
    """
    if settings.network == "none":
        return None
    limits = limits if limits is not None else Limits(idle=max(60.0, settings.timeout))
    tally = Tally()
    proxy = Proxy(rules_of(settings), outside if outside is not None else Outside(), limits, tally)
    return Egress(proxy, tally, folder)


class Egress:
    """A running proxy. Thread-safe; of no use in a forked child, which needs its own."""

    def __init__(self, proxy: Proxy, tally: Tally, folder: Path) -> None:
        """Starts it; see `egress_for`."""
        self._tally = tally
        self._pid = os.getpid()
        self._folder, self._held = _own_folder(folder)
        seen = self._folder / _SEEN
        try:
            ours = proxy.authority.pem if proxy.authority is not None else ""
            (seen / CERTIFICATES).write_text(system_certificates() + ours, "ascii")
            (seen / CERTIFICATES).chmod(0o644)
            self._first = Door(seen)
        except BaseException:
            self._remove()
            raise
        self._doors = {self._first}
        self._lock = safe_lock()
        self._over = threading.Event()
        self._proxy = proxy
        self._stop = asyncio.Event()
        self._closing = threading.Lock()
        """Taken by the one call that closes it, for ever."""
        try:
            self._loop = asyncio.new_event_loop()
            try:
                self._thread = threading.Thread(target=self._run, name="agentcop-egress", daemon=True)
                self._thread.start()
            except BaseException:
                self._loop.close()
                raise
        except BaseException:  # there are no more files or threads to be had
            self._first.listener.close()
            self._remove()
            raise
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_weakly(self._after_fork))

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive() and not self._closing.locked()

    @property
    def mount(self) -> Mount:
        """What the first door's box sees."""
        return self._first.mount

    def door(self) -> Door:
        """One box's own way in: what comes by it is told apart from what other boxes ask for. Raises OSError."""
        if self._over.is_set():
            raise _closed()
        seen = Path(tempfile.mkdtemp(prefix=f"{_SEEN}-", dir=self._folder))
        try:
            seen.chmod(0o711)  # as the first one's
            os.link(self._folder / _SEEN / CERTIFICATES, seen / CERTIFICATES)
            door = Door(seen)
        except BaseException:
            shutil.rmtree(seen, ignore_errors=True)
            raise
        with self._lock, contextlib.suppress(RuntimeError):  # its loop came to an end by itself
            if not self._over.is_set():
                self._loop.call_soon_threadsafe(self._open, door)
                self._doors.add(door)
                return door
        door.listener.close()
        door.remove()
        raise _closed()

    def shut(self, door: Door) -> None:
        """A door's box is gone. Idempotent, never blocks for the proxy, never raises."""
        with self._lock:
            if door not in self._doors or os.getpid() != self._pid:
                return
            self._doors.discard(door)
        door.remove()
        with contextlib.suppress(RuntimeError):  # its loop is closed, and with it the door
            self._loop.call_soon_threadsafe(door.shut)

    def _open(self, door: Door) -> None:
        """In the loop's thread."""
        door.begin(self._proxy)

    @property
    def allowed(self) -> int:
        """Requests that were let through."""
        return self._tally.allowed

    @property
    def refused(self) -> int:
        """Requests that were not."""
        return self._tally.refused

    @property
    def failed(self) -> int:
        """Requests that were let through and did not reach their place, or were cut."""
        return self._tally.failed

    @property
    def hosts(self) -> Mapping[str, int]:
        """Places that were reached, `host:port`, with how often: the 256 latest, as they are now."""
        return self._tally.listed()

    @property
    def unlisted(self) -> int:
        """How many other places were reached before those."""
        return self._tally.unlisted

    def close(self) -> None:
        """End every connection and remove its files. Idempotent; blocks for up to five seconds."""
        if os.getpid() != self._pid or not self._closing.acquire(blocking=False):
            return
        atexit.unregister(self.close)
        with self._lock:
            self._over.set()
        with contextlib.suppress(RuntimeError):  # its loop came to an end by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP)
        for door in self._doors:
            door.listener.close()  # made while the loop ended
        self._remove()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._open(self._first)
        await self._stop.wait()
        with self._lock:
            doors, self._doors = self._doors, set()
        for door in doors:
            door.shut()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._held.close()

    def _after_fork(self) -> None:
        """The child must not keep its parent's sockets and lock alive."""
        for door in tuple(self._doors):
            door.listener.close()
        self._held.close()


def _closed() -> OSError:
    return OSError(errno.ECANCELED, "the way out is closed")


def _own_folder(folder: Path) -> tuple[Path, BinaryIO]:
    """A folder below `folder` that only this user can enter, and its lock; what dead processes left there goes."""
    make_private(folder)
    for old in folder.iterdir():
        _clear(old)
    made = Path(tempfile.mkdtemp(prefix="egress-", dir=folder))
    held = (made / _UNLOCKED).open("xb")
    try_lock(held.fileno())
    (made / _UNLOCKED).rename(made / _LOCK)  # whoever finds it by this name finds it locked
    seen = made / _SEEN
    seen.mkdir()
    # In the box another user opens what lies in it; on the host nobody gets this far.
    seen.chmod(0o711)
    return made, held


def _clear(old: Path) -> None:
    try:
        descriptor = os.open(old / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return  # being made, or none of these
    try:
        if try_lock(descriptor):
            shutil.rmtree(old, ignore_errors=True)
    finally:
        os.close(descriptor)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """`method`, as long as its object lives: what is registered at forks can never be taken back."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if (bound := reference()) is not None:
            bound()

    return call
