"""From a place to an open connection: the name is looked up once, and what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.egress.addresses import is_own
from agentcop_processor.sandbox.egress.rules import Refused

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence

    from agentcop_policies.document.places import Place
    from agentcop_processor.sandbox.egress.addresses import Address
    from agentcop_processor.sandbox.egress.rules import Rules

_LOOKUP: Final = 5.0
_CONNECT: Final = 10.0
_MAX_ADDRESSES: Final = 32
_TRIED: Final = 4
_AGAIN: Final = 0.05
_LOOKUPS: Final = 32


class Unreachable(Exception):  # noqa: N818 -- a state of the network
    """The place may be reached, and cannot be: why, in a few words."""


def lookup(host: str) -> Sequence[str]:
    """The addresses that the machine's own resolver has for `host`. Blocks. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


async def dial(address: Address, port: int) -> socket.socket:
    """A connected, non-blocking socket to exactly this address. Raises OSError."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)  # noqa: FBT003 -- as socket has it
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (str(address), port))
    except BaseException:
        made.close()
        raise
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The network as the proxy sees it. The defaults are the machine's; tests give their own."""

    lookup: Callable[[str], Sequence[str]] = lookup
    """Name to addresses; blocks, and is called in a thread."""
    dial: Callable[[Address, int], Awaitable[socket.socket]] = dial
    """Connect to one checked address."""
    is_own: Callable[[Address], bool] = is_own
    """Whether an address is the machine's."""
    looking: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_LOOKUPS))
    """A lookup that its time is up for goes on in its thread: there are never more of them than this."""
    cafile: str | None = None
    """Whose certificates are trusted upstream; None: the system's, or SSL_CERT_FILE's."""


async def reach(
    where: Place, rules: Rules, outside: Outside, tls: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to `where`, through TLS where `tls` is given. Raises Refused, or Unreachable.

    A name with one address that is refused is refused altogether: it is the inside of somebody's network, or a trick.
    """
    rules.check_place(where)
    addresses = await _addresses(where, outside)
    for address in addresses:
        rules.check_address(where, address, own=outside.is_own(address))
    fault: Exception = OSError("no address")
    for address in addresses[:_TRIED]:
        try:
            async with asyncio.timeout(_CONNECT):
                made = await outside.dial(address, where.port)
                try:
                    name = where.host if tls is not None else None
                    return await asyncio.open_connection(sock=made, ssl=tls, server_hostname=name)
                except BaseException:
                    made.close()
                    raise
        except (OSError, TimeoutError) as caught:
            fault = caught
    raise Unreachable(_said(fault)) from fault


async def _addresses(where: Place, outside: Outside) -> list[Address]:
    if (literal := where.address) is not None:
        return [literal]
    try:
        async with asyncio.timeout(_LOOKUP):
            found = await _in_thread(outside, where.host)
    except TimeoutError as fault:
        raise Unreachable("its name was not resolved in time") from fault
    except (OSError, UnicodeError) as fault:
        raise Unreachable("its name does not resolve") from fault
    if len(found) > _MAX_ADDRESSES:
        raise Refused(f"its name has more than {_MAX_ADDRESSES} addresses")
    if not found:
        raise Unreachable("its name does not resolve")
    try:
        return list(dict.fromkeys(ip_address(text) for text in found))
    except ValueError as fault:
        raise Refused("its name has an address that is none") from fault


async def _in_thread(outside: Outside, host: str) -> Sequence[str]:
    """`outside.lookup(host)` in a daemon thread: one of an executor would keep the process from ending."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(found: Sequence[str] | None, fault: Exception | None) -> None:
        if answer.done():
            return
        if fault is not None:
            answer.set_exception(fault)
        else:
            answer.set_result(found or ())

    def work() -> None:
        found, fault = None, None
        try:
            found = outside.lookup(host)
        except Exception as caught:
            fault = caught
        finally:
            outside.looking.release()
        with contextlib.suppress(RuntimeError):  # the proxy was closed meanwhile
            loop.call_soon_threadsafe(settle, found, fault)

    while not outside.looking.acquire(blocking=False):  # noqa: ASYNC110 -- what frees a place is no loop's thread
        await asyncio.sleep(_AGAIN)
    try:
        threading.Thread(target=work, name="agentcop-egress-lookup", daemon=True).start()
    except RuntimeError as error:  # there is no room for a thread
        outside.looking.release()
        raise OSError(str(error)) from error
    return await answer


def _said(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return "it did not answer in time"
    import ssl

    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {fault.verify_message}"
    return "no connection to it could be made"
