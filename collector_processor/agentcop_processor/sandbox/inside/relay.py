"""A port on the box's own loopback whose bytes go to the egress proxy's socket: what HTTP clients call their proxy.

It understands nothing of what it carries and decides nothing: the tool may as well use the socket itself. One thread of
the supervisor with two bounded buffers a connection, so a tool can neither fill the supervisor nor use up the box's
processes with it. It logs nothing and takes no lock, so the supervisor may fork at any moment; whoever forks closes
the descriptors that the child does not need.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

_MAX = 64
"""Connections at a time; a further one waits to be accepted."""
_BUFFER = 65_536
"""Bytes held for each direction of a connection."""
_BACKLOG = 128
_CONNECT = 2.0


def start(socket_path: str) -> int:
    """Listen on a free port of 127.0.0.1 and carry each connection to `socket_path`, for ever; the port.

    Does not block. Raises OSError where the box has no loopback.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    listener.setblocking(False)
    port: int = listener.getsockname()[1]
    relay = _Relay(listener, socket_path)
    threading.Thread(target=relay.run, name="relay", daemon=True).start()
    return port


class _Pipe:
    """One direction: what was read from `source` and not yet written to `sink`."""

    __slots__ = ("buffer", "ended", "shut", "sink", "source")

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.buffer = bytearray()
        self.ended = False
        """The source has said all."""
        self.shut = False
        """And the sink knows."""

    def read(self) -> None:
        data = self.source.recv(_BUFFER - len(self.buffer))
        if data:
            self.buffer += data
        else:
            self.ended = True
        self.write()

    def write(self) -> None:
        if self.buffer:
            with contextlib.suppress(BlockingIOError):
                del self.buffer[: self.sink.send(self.buffer)]
        if self.ended and not self.buffer and not self.shut:
            self.shut = True
            self.sink.shutdown(socket.SHUT_WR)


class _Link:
    """One connection of the tool's, and its other half."""

    __slots__ = ("back", "forth", "inner", "outer")

    def __init__(self, inner: socket.socket, outer: socket.socket) -> None:
        self.inner = inner
        self.outer = outer
        self.forth = _Pipe(inner, outer)
        self.back = _Pipe(outer, inner)

    @property
    def over(self) -> bool:
        return self.forth.shut and self.back.shut

    def wants(self, end: socket.socket) -> int:
        """What to wait for at `end`."""
        reads, writes = (self.forth, self.back) if end is self.inner else (self.back, self.forth)
        events = 0
        if not reads.ended and len(reads.buffer) < _BUFFER:
            events |= selectors.EVENT_READ
        if writes.buffer:
            events |= selectors.EVENT_WRITE
        return events

    def move(self, end: socket.socket, events: int) -> None:
        """Carry what can be carried at `end` now. Raises OSError where an end is gone."""
        reads, writes = (self.forth, self.back) if end is self.inner else (self.back, self.forth)
        if events & selectors.EVENT_WRITE:
            writes.write()
        if events & selectors.EVENT_READ and not reads.ended:
            with contextlib.suppress(BlockingIOError):
                reads.read()


class _Relay:
    def __init__(self, listener: socket.socket, path: str) -> None:
        self._listener = listener
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._links: dict[_Link, dict[socket.socket, int]] = {}
        """In the order they came, with what is waited for at each end."""

    def run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        while True:
            for key, events in self._selector.select():
                if key.data is None:
                    self._accept()
                elif key.data in self._links:  # not closed by an event of the same round
                    self._serve(key.data, key.fileobj, events)  # type: ignore[arg-type]  # only sockets are registered

    def _accept(self) -> None:
        if len(self._links) >= _MAX and not self._make_room():
            self._selector.unregister(self._listener)  # until one ends: the others wait in the kernel
            return
        try:
            inner, _ = self._listener.accept()
        except OSError:
            return
        outer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # No longer than the proxy takes to see that somebody came: it accepts all.
            outer.settimeout(_CONNECT)
            outer.connect(self._path)
        except OSError:
            inner.close()
            outer.close()
            return
        inner.setblocking(False)
        outer.setblocking(False)
        link = _Link(inner, outer)
        self._links[link] = {}
        self._watch(link)

    def _make_room(self) -> bool:
        """End the oldest connection whose tool is done sending: it died, as likely as not."""
        for link in self._links:
            if link.forth.ended:
                self._close(link)
                return True
        return False

    def _serve(self, link: _Link, end: socket.socket, events: int) -> None:
        try:
            link.move(end, events)
            if not link.over:
                self._watch(link)
                return
        except OSError:
            pass
        self._close(link)

    def _watch(self, link: _Link) -> None:
        watched = self._links[link]
        for end in (link.inner, link.outer):
            wants = link.wants(end)
            if wants == watched.get(end, 0):
                continue
            if end not in watched:
                self._selector.register(end, wants, link)
            elif wants:
                self._selector.modify(end, wants, link)
            else:
                self._selector.unregister(end)
            if wants:
                watched[end] = wants
            else:
                del watched[end]

    def _close(self, link: _Link) -> None:
        for end in self._links.pop(link):
            self._selector.unregister(end)
        link.inner.close()
        link.outer.close()
        if self._listener not in self._selector.get_map():
            self._selector.register(self._listener, selectors.EVENT_READ, None)
