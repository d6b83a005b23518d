"""One box's door to the proxy: a socket in a folder that this box alone sees, and what was asked for through it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import stat
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.egress.heard import Hearing
from agentcop_processor.sandbox.engine import EGRESS, Mount

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.sandbox.egress.proxy import Proxy

_log = logging.getLogger("agentcop")
SOCKET: Final = "proxy.sock"
_BACKLOG: Final = 128


class Door:
    """`begin` and `shut` are for the proxy's thread, the rest is for any."""

    def __init__(self, seen: Path) -> None:
        """`seen`: has the certificates. Listens from here on; raises OSError."""
        self._seen = seen
        self.listener = _listening(seen)
        self.mount = Mount(source=str(seen.resolve()), target=EGRESS)
        """What a box needs to see of it, read-only: the socket, and the certificates to trust."""
        self.hearing = Hearing()
        self._accepting: asyncio.Task[None] | None = None
        self._shut = False

    def begin(self, proxy: Proxy) -> None:
        """Have the proxy take what comes by it."""
        if not self._shut:
            self._accepting = asyncio.ensure_future(proxy.accept(self.listener, self.hearing))
            self._accepting.add_done_callback(self._ended)

    def shut(self) -> None:
        """Take nothing more."""
        self._shut = True
        if self._accepting is not None:
            self._accepting.cancel()
        else:
            self.listener.close()

    def _ended(self, accepting: asyncio.Task[None]) -> None:
        self.listener.close()
        if not accepting.cancelled() and (fault := accepting.exception()) is not None:
            _log.error("sandbox egress: a box's way out has ended before the box: %s", type(fault).__name__)

    def remove(self) -> None:
        """Its folder goes. Never raises."""
        shutil.rmtree(self._seen, ignore_errors=True)


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
