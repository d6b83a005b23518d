"""One request to a place and its response back, each written anew from what was understood of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import h11

from agentcop_processor.sandbox.egress.outside import Unreachable
from agentcop_processor.sandbox.egress.traffic.heads import backward
from agentcop_processor.sandbox.egress.traffic.masking import Mask, masked, needles

if TYPE_CHECKING:
    from agentcop_processor.sandbox.egress.traffic.carrying import End, Meter
    from agentcop_processor.sandbox.egress.traffic.heads import Onward

_PIECE: Final = 65_536
_HEAD_PIECE: Final = 8_192
MAX_HEAD: Final = 32_768
"""Bytes of a request's or a response's head."""


async def next_event(connection: h11.Connection, end: End, meter: Meter | None = None) -> h11.Event:
    """What comes next from `end`. Raises h11.RemoteProtocolError, and OSError."""
    while True:
        event = connection.next_event()
        if event is h11.PAUSED:
            raise h11.RemoteProtocolError("more came than one message")
        if event is not h11.NEED_DATA:
            return event  # type: ignore[return-value]  # the other sentinel was PAUSED
        # In small pieces a head is found too long before it is whole.
        data = await end.reader.read(_PIECE if connection.their_state is h11.SEND_BODY else _HEAD_PIECE)
        if meter is not None:
            meter.taken(len(data))
        connection.receive_data(data)


class Exchange:
    """One request and its response."""

    def __init__(self, inbound: h11.Connection, near: End, far: End) -> None:
        """`inbound`: what the request's head was read with, from `near`."""
        self._inbound = inbound
        self.near = near
        self._far = far
        self._outbound = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)

    @property
    def answered(self) -> bool:
        """Whether `near` has got anything of a response."""
        return self._inbound.our_state is not h11.SEND_RESPONSE

    async def run(self, onward: Onward, meter: Meter) -> None:
        """Send the request, then give `near` what it got, with what was added masked.

        Raises h11.ProtocolError where an end speaks no HTTP, OSError, and Unreachable.
        """
        secrets = tuple(needle for each in onward.added for needle in needles(each.value))
        head = h11.Request(method=onward.request.method, target=onward.path, headers=onward.headers)
        await self._write(self._far, self._outbound.send(head))
        body = asyncio.ensure_future(self._body(meter))
        try:
            await self._response(secrets, body, meter)
        finally:
            body.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, h11.ProtocolError):
                await body

    async def _body(self, meter: Meter) -> None:
        """Pass on the rest of the request."""
        while True:
            if self._inbound.they_are_waiting_for_100_continue:
                going = h11.InformationalResponse(status_code=100, headers=[])
                await self._write(self.near, self._inbound.send(going))
            event = await next_event(self._inbound, self.near, meter)
            if isinstance(event, h11.Data):
                await self._write(self._far, self._outbound.send(h11.Data(data=bytes(event.data))))
            elif isinstance(event, h11.EndOfMessage):
                await self._write(self._far, self._outbound.send(h11.EndOfMessage()))
                return
            else:
                raise h11.RemoteProtocolError("the request has no end")

    async def _response(self, secrets: tuple[bytes, ...], body: asyncio.Future[None], meter: Meter) -> None:
        head = await self._head(body, meter)
        answer = h11.Response(
            status_code=head.status_code,
            headers=[(masked(name, secrets), masked(value, secrets)) for name, value in backward(head)],
            reason=masked(bytes(head.reason), secrets),
        )
        if secrets and any(
            name == b"content-encoding" and value.lower() != b"identity" for name, value in head.headers
        ):
            raise Unreachable("it has a secret and answered in an encoding that was not asked for")
        await self._write(self.near, self._inbound.send(answer))
        mask = Mask(secrets)
        while True:
            event = await next_event(self._outbound, self._far, meter)
            if isinstance(event, h11.Data):
                await self._data(mask.feed(bytes(event.data)) if secrets else bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                await self._data(mask.end())
                await self._write(self.near, self._inbound.send(h11.EndOfMessage()))
                return
            else:
                raise h11.RemoteProtocolError("the response has no end")

    async def _head(self, body: asyncio.Future[None], meter: Meter) -> h11.Response:
        """The response's head, or what went wrong with the request's body before there was one."""
        while True:
            coming = asyncio.ensure_future(next_event(self._outbound, self._far, meter))
            try:
                waits: set[asyncio.Future[Any]] = {coming} if body.done() else {coming, body}
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    body.result()  # raises what ended it early
                event = await coming
            finally:
                coming.cancel()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:  # noqa: PLR2004 -- of HTTP
                raise h11.RemoteProtocolError("there is no response")

    async def _data(self, data: bytes) -> None:
        if data:
            await self._write(self.near, self._inbound.send(h11.Data(data=data)))

    async def _write(self, end: End, data: bytes | None) -> None:
        if data:
            end.writer.write(data)
            await end.writer.drain()
