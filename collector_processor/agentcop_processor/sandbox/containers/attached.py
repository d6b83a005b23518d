"""The pipe to one container: the connection that the engine has turned into its standard input, output and error."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import struct
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from agentcop_core.locks import safe_lock
from agentcop_processor.sandbox.engine import LinkLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.engine import EngineName

_log = logging.getLogger("agentcop")
_HEADER: Final = struct.Struct(">BxxxI")
_STDOUT: Final = 1
_CHUNK: Final = 65_536
_TAIL: Final = 4_096


class Attached:
    """A `Link` to a container. What the engine sends is told apart by the 8 bytes before each piece."""

    def __init__(self, engine: EngineName, container: str, stream: Any, remove: Callable[[str], None]) -> None:  # noqa: ANN401 -- of the SDK, without a type
        """`stream`: as `attach_socket` gives it. `remove`: kills and removes a container by its id."""
        self.id = container
        self.engine = engine
        self._stream = stream
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._remove = remove
        self._out = bytearray()
        self._err = bytearray()
        self._in_piece: tuple[int, int] = (_STDOUT, 0)
        self._gone = False
        self._killing = safe_lock()
        _open.add(self)

    def send(self, data: bytes, deadline: float) -> None:
        """Write all; blocks until `deadline`. Raises LinkLost."""
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.sendall(data)
        except OSError as error:
            raise _lost(error) from None

    def receive(self, size: int, deadline: float) -> bytes:
        """Exactly `size` bytes of the box's standard output. Raises LinkLost."""
        while len(self._out) < size:
            self._piece(deadline)
        data = bytes(self._out[:size])
        del self._out[:size]
        return data

    def stderr(self) -> str:
        """The last of what the supervisor said on standard error; waits a moment for it."""
        try:
            deadline = time.monotonic() + 0.5
            while True:
                self._piece(deadline)
        except LinkLost:
            return self._err.decode(errors="replace")

    def alive(self) -> bool:
        """Whether the engine has not closed the connection."""
        try:
            poll = select.poll()  # `select` takes no descriptor above 1,023
            poll.register(self._socket, select.POLLIN)
            return not poll.poll(0) or self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except (OSError, ValueError):
            return False

    def abandon(self) -> None:
        """Close this process's end."""
        self._gone = True
        self._close()

    def kill(self) -> None:
        """Kill and remove the container by its id. Idempotent, but after a failure it tries again; never raises."""
        with self._killing:
            if self._gone:
                return
            try:
                self._remove(self.id)
                self._gone = True
            except Exception as error:
                # Its supervisor ends by itself, now that its standard input does.
                _log.error("agentcop: the box %s could not be removed: %s", self.id[:12], " ".join(str(error).split()))
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
            self._close()

    def _close(self) -> None:
        for each in (self._socket, self._stream):
            try:
                each.close()
            except OSError:
                _log.debug("agentcop: a box's connection was closed already")

    def _piece(self, deadline: float) -> None:
        """Take in the next bytes, of whichever stream. Raises LinkLost."""
        stream, left = self._in_piece
        if not left:
            stream, left = _HEADER.unpack(self._read(_HEADER.size, deadline, whole=True))
        data = self._read(min(left, _CHUNK), deadline, whole=False) if left else b""
        self._in_piece = (stream, left - len(data))
        if stream == _STDOUT:
            self._out += data
        else:
            self._err += data
            del self._err[:-_TAIL]

    def _read(self, size: int, deadline: float, *, whole: bool) -> bytes:
        read = bytearray()
        while not read or (whole and len(read) < size):
            try:
                self._socket.settimeout(_left(deadline))
                data = self._socket.recv(size - len(read))
            except OSError as error:
                raise _lost(error) from None
            if not data:
                raise LinkLost("the box has ended")
            read += data
        return bytes(read)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _lost(error: OSError) -> LinkLost:
    if isinstance(error, TimeoutError):
        return LinkLost("the box did not answer in time", late=True)
    return LinkLost(f"the connection to the box broke ({type(error).__name__})")


_open: weakref.WeakSet[Attached] = weakref.WeakSet()


def _after_fork() -> None:
    """A box lives as long as anybody holds the other end of its standard input: a forked child lets go of it."""
    for link in list(_open):
        link.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
