"""The head of a request as it goes on: nothing that is between the tool and the proxy only, nothing read two ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_policies.document.places import NoPlace, place, place_of
from agentcop_processor.sandbox.egress.rules import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    import h11

    from agentcop_policies.document.places import Place
    from agentcop_processor.sandbox.egress.rules import Added

Headers = list[tuple[bytes, bytes]]

_ABSOLUTE: Final = re.compile(rb"http://([^/?]+)(/[^\s#]*|\?[^\s#]*)?", re.IGNORECASE)
_PORT: Final = re.compile(r":([0-9]{1,5})\Z")
_HOP: Final = frozenset(
    (
        b"connection",
        b"proxy-connection",
        b"proxy-authorization",
        b"proxy-authenticate",
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        b"host",
    )
)
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding"))
_PARTIAL: Final = frozenset((b"accept-encoding", b"range", b"if-range"))
"""What makes a response come compressed or in part: a secret in it could not be seen."""
_MAX_TARGET: Final = 16_384


class Malformed(Exception):  # noqa: N818 -- an answer, not a fault
    """The request is none that this proxy understands: why, with nothing of the request in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes and what it asks for there."""

    where: Place
    path: bytes = b""
    """Path and query; empty for CONNECT."""


def check_framing(request: h11.Request) -> None:
    """Whether the request's end is where every server sees it. Raises Malformed."""
    names = [name for name, _ in request.headers]
    lengths, codings = names.count(b"content-length"), names.count(b"transfer-encoding")
    if lengths > 1 or codings > 1 or (lengths and codings):
        raise Malformed("the request says in two ways how long it is")
    if codings and request.http_version != b"1.1":
        raise Malformed("the request is chunked, in a version of HTTP that knows no chunks")
    if request.method == b"CONNECT" and (lengths or codings):
        raise Malformed("a CONNECT request has no body")


def target_of(request: h11.Request) -> Target:
    """Where the head of a request to the proxy leads. Raises Malformed, Refused."""
    raw = request.target
    if len(raw) > _MAX_TARGET or not raw.isascii():
        raise Malformed("the request's target is too long, or holds what no address can")
    try:
        if request.method == b"CONNECT":
            return Target(where=place(raw.decode("ascii")))
        found = _ABSOLUTE.fullmatch(raw)
        if found is None:
            raise Malformed("this is a proxy: it takes CONNECT host:port, or a request for http://host/path")
        return Target(where=_authority(found[1].decode("ascii"), 80), path=_path(found[2] or b""))
    except NoPlace as fault:
        raise Refused(f"this address is not one that every client reads the same way: {fault}") from fault


def check_inner(request: h11.Request, where: Place) -> None:
    """Whether a request that came through TLS for `where` is one to `where`. Raises Malformed, Refused."""
    if request.method in (b"CONNECT", b"TRACE"):
        raise Refused("this place has a secret: CONNECT and TRACE are not passed on to it")
    if not request.target.startswith(b"/") and not (request.method == b"OPTIONS" and request.target == b"*"):
        raise Malformed("the request's target is no path")
    hosts = [value for name, value in request.headers if name == b"host"]
    try:
        same = [_authority(value.decode("ascii"), 443) for value in hosts] == [where]
    except (NoPlace, UnicodeError):
        same = False
    if not same:
        raise Refused("this place has a secret: the request's Host header must name it, and nothing else")


@dataclass(frozen=True, slots=True)
class Onward:
    """A request as a place gets it."""

    request: h11.Request
    """As it came."""
    path: bytes
    """Path and query."""
    where: Place
    port: int
    """The one that goes without saying in the Host header."""
    added: tuple[Added, ...]

    @property
    def headers(self) -> Headers:
        """Host first, what is added last; a header of the same name as an added one does not go on."""
        added = self.added
        dropped = _HOP | {each.header.encode("ascii") for each in added} | (_PARTIAL if added else frozenset())
        listed = _listed(self.request.headers)
        kept: Headers = [(b"Host", _host(self.where, self.port)), (b"Connection", b"close")]
        for name, value in self.request.headers:
            if name in _FRAMING or (name not in dropped and name not in listed):
                kept.append((name, value))
        if added:
            kept.append((b"Accept-Encoding", b"identity"))
        return kept + [(each.header.encode("ascii"), each.value.encode("ascii")) for each in added]


def backward(response: h11.Response) -> Headers:
    """The headers of a response that the tool gets."""
    listed = _listed(response.headers)
    chunked = any(name == b"transfer-encoding" for name, _ in response.headers)
    kept: Headers = [
        (name, value)
        for name, value in response.headers
        if name in _FRAMING or (name not in _HOP and name not in listed)
    ]
    if chunked:
        kept = [(name, value) for name, value in kept if name != b"content-length"]
    return [*kept, (b"Connection", b"close")]


def _listed(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """What a Connection header says is for this connection only."""
    values = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(each.strip().lower() for each in values.split(b","))


def _host(where: Place, port: int) -> bytes:
    text = str(where)
    return (text.removesuffix(f":{port}") if where.port == port else text).encode("ascii")


def _authority(text: str, port: int) -> Place:
    found = _PORT.search(text)
    return place_of(text[: found.start()], int(found[1])) if found is not None else place_of(text, port)


def _path(rest: bytes) -> bytes:
    return rest if rest.startswith(b"/") else b"/" + rest
