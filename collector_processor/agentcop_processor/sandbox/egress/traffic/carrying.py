"""Bytes from one end to the other and back, within bounds of memory, time and amount."""

from __future__ import annotations

import asyncio
import contextlib
import select
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PIECE: Final = 65_536
_LOOK: Final = 0.5


class TooMuch(Exception):  # noqa: N818 -- a limit, not a fault
    """More bytes than one connection may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may take. Seconds and bytes."""

    connections: int = 64
    """At one time; a further one waits to be accepted: each is two descriptors of this process."""
    head: float = 10.0
    """Until the whole head of a request has come."""
    idle: float = 60.0
    """Without a byte in either direction."""
    carried: int = 1_073_741_824
    """Bytes in both directions together."""


@dataclass(slots=True)
class End:
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def close(self, patience: float) -> None:
        """Let go of it once all that was written has gone out, after `patience` seconds in any case."""
        try:
            if self.writer.can_write_eof():
                self.writer.write_eof()  # heard even where a forked child still holds the descriptor
            self.writer.close()
            async with asyncio.timeout(patience):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            return
        finally:
            self.drop()

    async def gone(self) -> None:
        """Returns when whoever was here closed both directions: a tool that was killed, not one that said all."""
        hung_up = select.poll()
        hung_up.register(self.writer.get_extra_info("socket").fileno(), 0)
        while not hung_up.poll(0):  # noqa: ASYNC110 -- a transport tells of the end of one direction only
            await asyncio.sleep(_LOOK)

    def drop(self) -> None:
        """Let go of it now."""
        self.writer.transport.abort()


class Meter:
    """Watches one connection: `taken` for every piece that passes."""

    def __init__(self, limits: Limits, timeout: asyncio.Timeout) -> None:
        """`timeout`: what ends the connection; put off by every piece."""
        self._limits = limits
        self._timeout = timeout
        self._carried = 0

    def taken(self, size: int) -> None:
        """`size` bytes passed. Raises TooMuch."""
        self._carried += size
        if self._carried > self._limits.carried:
            raise TooMuch
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._limits.idle)


@contextlib.asynccontextmanager
async def metered(limits: Limits) -> AsyncIterator[Meter]:
    """What happens within ends with TimeoutError when nothing passes for `limits.idle`."""
    async with asyncio.timeout(limits.idle) as timeout:
        yield Meter(limits, timeout)


async def tunnel(near: End, far: End, first: bytes, meter: Meter) -> None:
    """Carry both ways until both ends have said all; `first` came with the request. Raises OSError, TooMuch."""
    if first:
        meter.taken(len(first))
        far.writer.write(first)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_carry(near, far, meter))
            both.create_task(_carry(far, near, meter))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _carry(source: End, sink: End, meter: Meter) -> None:
    while data := await source.reader.read(_PIECE):
        meter.taken(len(data))
        sink.writer.write(data)
        await sink.writer.drain()
    if sink.writer.can_write_eof():
        sink.writer.write_eof()
