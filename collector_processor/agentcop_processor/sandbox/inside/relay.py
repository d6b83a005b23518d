"""A port on the box's own loopback whose bytes go to the egress proxy's socket: what HTTP clients call their proxy.

It understands nothing of what it carries and decides nothing: the tool may as well use the socket itself. One thread of
the supervisor with one bounded buffer for each direction of a connection, so a tool can neither fill the supervisor nor
use up the box's processes with it. It logs nothing and takes no lock, so that the supervisor may fork at any moment;
whoever forks closes the files that the child does not need. The packages `socket` and `threading` take as long to
import as Python takes to start, so it does without them.
"""

from __future__ import annotations

import _socket
import _thread
import os
import select

from .wire.pipes import CHUNK, wipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

MAX_LINKS = 64
"""Connections at a time; a further one waits to be accepted."""
_BACKLOG = 128
_ENDED = select.POLLHUP | select.POLLERR

_relays: list[_Relay] = []


def start(socket_path: str) -> int:
    """Listen on a free port of 127.0.0.1 and carry each connection to `socket_path`, for ever; the port.

    Does not block. Raises OSError where the box has no loopback.
    """
    relay = _Relay(socket_path)
    _relays.append(relay)
    _thread.start_new_thread(relay.run, ())
    return relay.port


def forget() -> None:
    """End every connection there is, and leave nothing of what they carried in memory. Blocks until that is so."""
    for relay in _relays:
        os.write(relay.asked, b"f")
        os.read(relay.answered, 1)


class _Way:
    """One direction: what was read from `source` and not yet written to `sink`."""

    __slots__ = ("_data", "_first", "_last", "_sink", "_source", "ended", "over")

    def __init__(self, source: socket, sink: socket) -> None:
        self._source = source
        self._sink = sink
        self._data = bytearray(CHUNK)
        self._first = self._last = 0
        self.ended = False
        """The source has said all."""
        self.over = False
        """And the sink knows."""

    def move(self) -> None:
        """Carry what can be carried now; an end that is gone ends this way and leaves the other what it still has."""
        try:
            if self.reads:
                self._first, self._last = 0, self._source.recv_into(self._data)
                self.ended = self._last == 0
            while self.writes:
                self._first += self._sink.send(memoryview(self._data)[self._first : self._last])
        except BlockingIOError:
            return
        except OSError:
            self.ended = True
            self._first = self._last
        if self.ended and not self.over:
            self.over = True
            try:
                self._sink.shutdown(_socket.SHUT_WR)
            except OSError:
                pass  # it is gone, and knows

    @property
    def reads(self) -> bool:
        """Whether it waits for the source."""
        return not self.writes and not self.ended

    @property
    def writes(self) -> bool:
        """Whether it waits for the sink."""
        return self._first < self._last

    def wipe(self) -> None:
        """Forget what is left."""
        wipe(self._data)


class _Link:
    """One connection of the tool's, and its other half."""

    __slots__ = ("back", "forth", "inner", "outer")

    def __init__(self, inner: socket, outer: socket) -> None:
        self.inner = inner
        self.outer = outer
        self.forth = _Way(inner, outer)
        self.back = _Way(outer, inner)

    def move(self) -> bool:
        """Carry what can be carried now, both ways; False when that was all."""
        self.forth.move()
        self.back.move()
        return not (self.forth.over and self.back.over)

    def watch(self, poll: select.poll) -> None:
        """Have `poll` wait for what moves this on, and for nothing else: an end that is gone would be told for ever."""
        for end, source, sink in ((self.inner, self.forth, self.back), (self.outer, self.back, self.forth)):
            events = (select.POLLIN if source.reads else 0) | (select.POLLOUT if sink.writes else 0)
            poll.register(end.fileno(), events)
            if not events:
                poll.unregister(end.fileno())


class _Relay:
    """One listening port. All but `forget` and the making is its thread's."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(_BACKLOG)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        self._told, self.asked = os.pipe()
        self.answered, self._answer = os.pipe()
        self._links: dict[int, _Link] = {}
        """By the number of either end's file, in the order they came."""
        self._poll = select.poll()
        self._poll.register(self._told, select.POLLIN)

    def run(self) -> None:
        """For ever."""
        while True:
            if len(self._links) < 2 * MAX_LINKS or self._make_room():
                self._poll.register(self._listener.fileno(), select.POLLIN)
            for file, events in self._poll.poll():
                if file == self._told:
                    self._forget()
                    break  # the others are of connections that are no more
                if file == self._listener.fileno():
                    self._accept()
                elif (link := self._links.get(file)) is not None:  # not closed by an event of the same round
                    self._serve(link, ended=bool(events & _ENDED) and not events & select.POLLIN)

    def _serve(self, link: _Link, *, ended: bool) -> None:
        if link.move() and not (ended and not link.forth.writes and not link.back.writes):
            link.watch(self._poll)
        else:
            self._close(link)

    def _accept(self) -> None:
        if len(self._links) >= 2 * MAX_LINKS:
            self._poll.unregister(self._listener.fileno())  # until one ends: the others wait in the kernel
            return
        file = self._accepted()
        if file is None:
            return
        inner = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, 0, file)
        outer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        for end in (inner, outer):
            end.settimeout(0)
        try:
            inner.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)  # a piece waits for no acknowledgement
            outer.connect(self._path)
            link = _Link(inner, outer)
        except (OSError, MemoryError):
            inner.close()
            outer.close()
            return
        self._links[inner.fileno()] = self._links[outer.fileno()] = link
        link.watch(self._poll)

    def _accepted(self) -> int | None:
        """The file of the next connection that waits, if one does."""
        try:
            file: int = self._listener._accept()[0]  # type: ignore[attr-defined]  # noqa: SLF001 -- as socket.accept
        except OSError:
            return None
        return file

    def _make_room(self) -> bool:
        """End the oldest connection whose tool is done sending: it died, as likely as not."""
        for link in self._links.values():
            if link.forth.ended:
                self._close(link)
                return True
        return False

    def _close(self, link: _Link) -> None:
        for end in (link.inner, link.outer):
            file = end.fileno()
            if self._links.pop(file, None) is not None:
                try:
                    self._poll.unregister(file)
                except KeyError:
                    pass  # it waited for nothing
            end.close()
        link.forth.wipe()
        link.back.wipe()

    def _forget(self) -> None:
        for link in tuple(self._links.values()):
            self._close(link)
        while (file := self._accepted()) is not None:
            os.close(file)
        os.read(self._told, 1)
        os.write(self._answer, b"f")
