"""One policy's way out: a proxy in a thread of its own, and the folder of it that a box sees."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import shutil
import socket
import stat
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from agentcop_core.filelock import try_lock
from agentcop_core.home import make_private
from agentcop_processor.sandbox.egress.authority import system_certificates
from agentcop_processor.sandbox.egress.carrying import Limits
from agentcop_processor.sandbox.egress.outside import Outside
from agentcop_processor.sandbox.egress.proxy import Proxy
from agentcop_processor.sandbox.egress.rules import rules_of
from agentcop_processor.sandbox.egress.tally import Tally
from agentcop_processor.sandbox.engine import EGRESS, Mount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger("agentcop")
SOCKET: Final = "proxy.sock"
CERTIFICATES: Final = "ca.pem"
_SEEN: Final = "seen"
_LOCK: Final = "lock"
_UNLOCKED: Final = "unlocked"
_BACKLOG: Final = 128
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
            self._listener = _listening(seen)
        except BaseException:
            self._remove()
            raise
        self.mount: Mount = Mount(source=str(seen.resolve()), target=EGRESS)
        """What a box needs to see of it, read-only: the socket, and the certificates to trust."""
        self._stop = asyncio.Event()
        self._closing = threading.Lock()
        """Taken by the one call that closes it, for ever."""
        try:
            self._loop = asyncio.new_event_loop()
            try:
                self._thread = threading.Thread(target=self._run, args=(proxy,), name="agentcop-egress", daemon=True)
                self._thread.start()
            except BaseException:
                self._loop.close()
                raise
        except BaseException:  # there are no more files or threads to be had
            self._listener.close()
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
        with contextlib.suppress(RuntimeError):  # its loop came to an end by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP)
        self._remove()

    def _run(self, proxy: Proxy) -> None:
        try:
            self._loop.run_until_complete(self._serve(proxy))
        finally:
            self._loop.close()

    async def _serve(self, proxy: Proxy) -> None:
        accepting = asyncio.ensure_future(proxy.accept(self._listener))
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({accepting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if accepting.done() and (fault := accepting.exception()) is not None:
            _log.error("agentcop: a sandbox's way out has ended, the next call gets another: %s", type(fault).__name__)
        accepting.cancel()
        self._listener.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._held.close()

    def _after_fork(self) -> None:
        """The child must not keep its parent's socket and lock alive."""
        self._listener.close()
        self._held.close()


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


def _listening(seen: Path) -> socket.socket:
    """The socket, bound by a short name: a path of over 107 bytes would not do."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = os.open(seen, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.setblocking(False)  # noqa: FBT003 -- as socket has it
        listener.bind(f"/proc/self/fd/{descriptor}/{SOCKET}")
        (seen / SOCKET).chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    finally:
        os.close(descriptor)
    return listener


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """`method`, as long as its object lives: what is registered at forks can never be taken back."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if (bound := reference()) is not None:
            bound()

    return call
