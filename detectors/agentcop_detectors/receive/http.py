"""OTLP over HTTP: an ASGI application of one route, beside those for health and metrics."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from agentcop_detectors.receive.answers import (
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    failure,
    success,
)
from agentcop_detectors.receive.bodies import Malformed, TooLarge
from agentcop_detectors.receive.intake import RETRY_SECONDS, Busy
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agentcop_detectors.receive.intake import Intake, Taken
    from agentcop_detectors.segments.log import NotWritten

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("agentcop")

TRACES: Final = "/v1/traces"
_PROTOBUF, _JSON = b"application/x-protobuf", b"application/json"
_ENCODINGS: Final = {_PROTOBUF: Encoding.PROTOBUF, _JSON: Encoding.JSON}
_DIGITS: Final = 19
"""A Content-Length of so many does not fit 64 bits."""
_TYPES: Final = {Encoding.PROTOBUF: _PROTOBUF, Encoding.JSON: _JSON}


class _Refused(Exception):  # noqa: N818 -- the answer to a request
    def __init__(self, http: int, code: int, message: str) -> None:
        super().__init__(message)
        self.http, self.code, self.message = http, code, message


class _Held:
    """The room that one request takes in memory."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._size = 0

    def up_to(self, size: int) -> None:
        """Hold at least `size` bytes. Raises TooLarge, Busy."""
        if size > self._intake.max_body:
            raise TooLarge(f"the request is over {self._intake.max_body} bytes")
        if size > self._size:
            self._intake.hold(size - self._size)
            self._size = size

    def give_back(self) -> None:
        """All of it."""
        self._intake.give_back(self._size)


class _Reading:
    """What ASGI calls `receive`, knowing whether there is more of the body."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    async def __call__(self) -> Mapping[str, Any]:
        """The next message."""
        message = await self._receive()
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def pass_over(self, most: int) -> None:
        """Read what a refused client still sends, up to `most` bytes, and keep none of it.

        A connection that is closed on unread bytes is reset, and the client never sees when to come again.
        """
        while self._more and most > 0:
            most -= len((await self()).get("body", b""))


class OtlpHttp:
    """`POST /v1/traces`; everything else goes to `rest`. Runs on one event loop and never blocks it on the disk."""

    def __init__(self, intake: Intake, rest: App) -> None:
        """`rest`: the application for all other paths."""
        self._intake = intake
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI calls it."""
        if scope["type"] != "http" or scope["path"] != TRACES:
            await self._rest(scope, receive, send)
            return
        headers = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        encoding = _ENCODINGS.get(kind)
        answer_in = encoding or Encoding.JSON
        reading = _Reading(receive)
        try:
            body = await self._answer(scope, headers, encoding, reading)
        except _Refused as refused:
            await reading.pass_over(self._intake.max_body)
            extra = [(b"retry-after", b"%d" % RETRY_SECONDS)] if refused.http in {429, 503} else []
            extra += [(b"www-authenticate", b"Bearer")] if refused.http == 401 else []  # noqa: PLR2004 -- HTTP's number
            extra += [(b"allow", b"POST")] if refused.http == 405 else []  # noqa: PLR2004 -- HTTP's number
            await _send(send, refused.http, answer_in, failure(refused.code, refused.message, answer_in), extra)
            return
        await _send(send, 200, answer_in, body, [])

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], encoding: Encoding | None, receive: Receive
    ) -> bytes:
        if scope["method"] != "POST":
            raise _Refused(405, INVALID_ARGUMENT, "POST is the only method")
        source = self._intake.tokens.source(headers.get(b"authorization", b"").decode("latin-1"))
        if source is None:
            self._intake.counts.add("refused_token")
            raise _Refused(401, UNAUTHENTICATED, "a token is needed: Authorization: Bearer …")
        if encoding is None:
            raise _Refused(415, INVALID_ARGUMENT, "Content-Type must be application/x-protobuf or application/json")
        coding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        held = _Held(self._intake)
        try:
            body = await self._body(headers.get(b"content-length", b""), receive, held)
            return await self._keep(body, encoding, coding, source)
        except Busy:
            raise _Refused(429, RESOURCE_EXHAUSTED, "busy: come again") from None
        except TooLarge as error:
            self._intake.counts.add("too_large")
            raise _Refused(413, INVALID_ARGUMENT, str(error)) from None
        except Malformed as error:
            self._intake.counts.add("malformed")
            raise _Refused(400, INVALID_ARGUMENT, str(error)) from None
        finally:
            held.give_back()

    async def _body(self, declared: bytes, receive: Receive, held: _Held) -> bytes:
        """The whole body, with room held for it before it is read. Raises TooLarge, Busy, Malformed."""
        held.up_to(int(declared) if declared.isdigit() and len(declared) < _DIGITS else 0)
        parts: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Malformed("the request was cut")
            if part := message.get("body", b""):
                length += len(part)
                held.up_to(length)
                parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _keep(self, body: bytes, encoding: Encoding, coding: str, source: str) -> bytes:
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[NotWritten | None] = loop.create_future()

        def settle(failed: NotWritten | None) -> None:
            if not kept.done():  # the client may have gone, and this task with it
                kept.set_result(failed)

        def done(failed: NotWritten | None) -> None:
            loop.call_soon_threadsafe(settle, failed)

        taken: Taken = self._intake.take(body, encoding, coding, source, done)
        if await kept is not None:
            raise _Refused(503, UNAVAILABLE, "the request could not be written to disk")
        return success(taken, encoding)


async def _send(send: Send, code: int, encoding: Encoding, body: bytes, extra: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-type", _TYPES[encoding]), (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
