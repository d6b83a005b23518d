"""The proxy's side of one connection: what is asked, whether it may be, and the answer when it may not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final

import h11

from agentcop_processor.sandbox.egress.authority import Authority, upstream
from agentcop_processor.sandbox.egress.heard import HEARING
from agentcop_processor.sandbox.egress.outside import Unreachable, reach
from agentcop_processor.sandbox.egress.rules import Refused
from agentcop_processor.sandbox.egress.traffic.carrying import End, Limits, TooMuch, metered, tunnel
from agentcop_processor.sandbox.egress.traffic.exchange import MAX_HEAD, Exchange, next_event
from agentcop_processor.sandbox.egress.traffic.heads import Malformed, Onward, check_framing, check_inner, target_of

if TYPE_CHECKING:
    import socket

    from agentcop_policies.document.places import Place
    from agentcop_processor.sandbox.egress.heard import Hearing
    from agentcop_processor.sandbox.egress.outside import Outside
    from agentcop_processor.sandbox.egress.rules import Added, Rules
    from agentcop_processor.sandbox.egress.tally import Tally

_log = logging.getLogger("agentcop")

_LINGER: Final = 1.0
_AGAIN: Final = 0.1
_PIECE: Final = 65_536


class Proxy:
    """Serves the connections of one socket. Lives in its event loop's thread alone."""

    def __init__(self, rules: Rules, outside: Outside, limits: Limits, tally: Tally) -> None:
        """Makes the certificates of places with a secret."""
        self._rules = rules
        self._outside = outside
        self._limits = limits
        self._tally = tally
        self._free = asyncio.Semaphore(limits.connections)
        self._tasks: set[asyncio.Task[None]] = set()
        self._upstream = upstream(outside.cafile) if rules.secure else None
        self.authority = Authority(rules.secure) if rules.secure else None
        """What it speaks to a box with in the name of those places."""

    async def accept(self, listener: socket.socket, hearing: Hearing) -> None:
        """Take one box's connections for ever; of all boxes no more at once than the limit: the kernel keeps the rest.

        In a task of its own: `hearing` is told what is asked for by what comes this way.
        """
        HEARING.set(hearing)
        loop = asyncio.get_running_loop()
        while True:
            await _readable(listener)  # before its turn: who only waits takes none
            if self._free.locked():
                self._tally.full(self._limits.connections)
            await self._free.acquire()
            try:
                made, _ = await loop.sock_accept(listener)
            except OSError as fault:
                self._free.release()
                _log.warning("sandbox egress: cannot accept: %s", fault.strerror)
                await asyncio.sleep(_AGAIN)
                continue
            except BaseException:  # the door was shut: its place is for another
                self._free.release()
                raise
            task = asyncio.ensure_future(self._serve(made))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, made))

    def _ended(self, made: socket.socket, task: asyncio.Task[None]) -> None:
        made.close()  # a task that is cancelled before it began has closed nothing
        self._tasks.discard(task)
        self._free.release()

    async def _serve(self, made: socket.socket) -> None:
        """One connection, from its first byte to its last. Never raises, but to be cancelled."""
        loop = asyncio.get_running_loop()
        came: asyncio.Future[End] = loop.create_future()
        reader = asyncio.StreamReader()
        # With a callback the connection counts as a server's, also to `start_tls`.
        protocol = asyncio.StreamReaderProtocol(reader, lambda reader, writer: came.set_result(End(reader, writer)))
        try:
            await loop.connect_accepted_socket(lambda: protocol, made)
        except OSError:
            made.close()
            return
        near = await came
        serving = asyncio.current_task()
        watch = asyncio.ensure_future(near.gone())
        watch.add_done_callback(lambda watch: serving is not None and not watch.cancelled() and serving.cancel())
        try:
            await self._request(near)
            await near.close(self._limits.idle)
        except (OSError, h11.ProtocolError) as fault:
            _log.debug("sandbox egress: a connection ended early: %s", type(fault).__name__)
        except Exception as fault:
            at = traceback.extract_tb(fault.__traceback__)[-1]
            # Its text could hold what was sent.
            _log.error(
                "sandbox egress: a connection was given up: %s at %s:%s", type(fault).__name__, at.name, at.lineno
            )
        finally:
            watch.cancel()
            near.drop()

    async def _request(self, near: End) -> None:
        inbound = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        asked = ""
        try:
            request = await self._head(inbound, near)
            asked = request.target.decode("ascii", "backslashreplace").partition("?")[0]
            check_framing(request)
            target = target_of(request)
            asked = str(target.where)
            if request.method == b"CONNECT":
                await self._connect(near, target.where, inbound)
            else:
                await self._plain(near, request, target.where, target.path, inbound)
        except Refused as fault:
            self._tally.turned_away(asked, str(fault))
            await _answer(near, 403, str(fault))
        except Malformed as fault:
            self._tally.turned_away(asked, str(fault))
            await _answer(near, 400, str(fault))
        except Unreachable as fault:
            self._tally.missed(asked, str(fault))
            await _answer(near, 502, f"the place could not be reached: {fault}")
        except TooMuch:
            self._tally.missed(asked, f"cut after {self._limits.carried:,} bytes")
        except TimeoutError:
            self._tally.missed(asked, f"cut after {self._limits.idle:g} s without a byte")

    async def _head(self, inbound: h11.Connection, near: End) -> h11.Request:
        try:
            async with asyncio.timeout(self._limits.head):
                event = await next_event(inbound, near)
        except TimeoutError as fault:
            raise Malformed("the request's head did not come in time") from fault
        except h11.RemoteProtocolError as fault:
            raise Malformed("the request is no HTTP, or its head is too long") from fault
        if not isinstance(event, h11.Request):
            raise ConnectionResetError  # it went without a word
        return event

    async def _connect(self, near: End, where: Place, inbound: h11.Connection) -> None:
        added = self._rules.secure.get(where, ())
        first = inbound.trailing_data[0]
        if added and first:
            raise Malformed("something came before the connection was there")
        far = End(*await reach(where, self._rules, self._outside, self._upstream if added else None))
        try:
            self._tally.reached(str(where))
            near.writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            if added:
                await self._opened(near, far, where, added)
            else:
                async with metered(self._limits) as meter:
                    await tunnel(near, far, first, meter)
        finally:
            far.drop()

    async def _opened(self, near: End, far: End, where: Place, added: tuple[Added, ...]) -> None:
        """TLS with the box ends here and begins anew, so that the secret is added between."""
        assert self.authority is not None  # noqa: S101 -- made with the rules that have `added`
        try:
            async with asyncio.timeout(self._limits.head):
                await near.writer.start_tls(self.authority.context(where))
        except (OSError, TimeoutError):
            self._tally.missed(str(where), "the tool does not trust the certificates in SSL_CERT_FILE")
            return
        inbound = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        try:
            request = await self._head(inbound, near)
            check_framing(request)
            check_inner(request, where)
        except Refused as fault:
            self._tally.turned_away(str(where), str(fault))
            await _answer(near, 403, str(fault))
            return
        except Malformed as fault:
            self._tally.turned_away(str(where), str(fault))
            await _answer(near, 400, str(fault))
            return
        await self._exchange(Exchange(inbound, near, far), Onward(request, request.target, where, 443, added))

    async def _plain(self, near: End, request: h11.Request, where: Place, path: bytes, inbound: h11.Connection) -> None:
        self._rules.check_place(where)
        if where in self._rules.secure:
            raise Refused("this place has a secret, which travels by https:// only")
        added = self._rules.plain.get(where, ())
        if added and request.method == b"TRACE":
            raise Refused("this place has a secret: TRACE is not passed on to it")
        far = End(*await reach(where, self._rules, self._outside))
        try:
            self._tally.reached(str(where))
            await self._exchange(Exchange(inbound, near, far), Onward(request, path, where, 80, added))
        finally:
            far.drop()

    async def _exchange(self, exchange: Exchange, onward: Onward) -> None:
        try:
            async with metered(self._limits) as meter:
                await exchange.run(onward, meter)
        except (OSError, TimeoutError, h11.ProtocolError, Unreachable) as fault:
            said = str(fault) if isinstance(fault, Unreachable) else "it gave no whole answer"
            self._tally.missed(str(onward.where), said)
            if not exchange.answered:  # else the response is cut, and the tool sees that it is
                await _answer(exchange.near, 502, f"the place could not be reached: {said}")


async def _readable(listener: socket.socket) -> None:
    """Wait until somebody connects."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()
    descriptor = listener.fileno()

    def ready() -> None:
        if not came.done():
            came.set_result(None)

    loop.add_reader(descriptor, ready)
    try:
        await came
    finally:
        loop.remove_reader(descriptor)


async def _answer(near: End, status: int, why: str) -> None:
    """Say why nothing comes, in the status line as well: of a CONNECT's answer clients show nothing else."""
    body = f"AgentCop's sandbox: {why}\n".encode("ascii", "replace")
    head = (
        f"HTTP/1.1 {status} {why}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    near.writer.write(head.encode("ascii", "replace") + body)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LINGER):
            await near.writer.drain()
            if near.writer.can_write_eof():
                near.writer.write_eof()
            # To close on unread bytes would take the answer away from the tool.
            while await near.reader.read(_PIECE):
                pass
