"""`url.host_in(url, hosts)`: whether a URL leads to one of the hosts, in every client's reading of it.

- A host is exact; `*.example.com` means its subdomains and not `example.com` itself. Ports and paths do not count.
- Schemes: http, https, ws, wss. Names are compared in their IDNA form, lower case, without a trailing dot; addresses by
  value, so `[::ffff:10.0.0.1]` is `10.0.0.1`.
- What clients are known to read in more than one way has no answer: `user@host`, backslashes, white space, control
  characters, `0x7f.1` and `010.0.0.1`, percent-escapes in the host, a missing `//`, names that the two IDNA versions
  map differently, IPv6 addresses that embed another.

The answer is about the name in the URL: where DNS or a redirect leads after that is not seen. Never blocks.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache

from agentcop_core.locks import IMPORTING
from agentcop_policies.when.cannot import CannotJudgeError

_MAX_URL = 8_192
_URL = re.compile(r"(?:https?|wss?)://([^/?#]*)([/?#]?)(.*)", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r":([0-9]{1,5})\Z")
_MAX_PORT = 65_535
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DELIMITERS = frozenset("/?#@:\\[]%")
_MAX_NAME = 253
_NAT64 = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("::/96"),
)


def pattern_problem(pattern: str) -> str:
    """What is wrong with a host written in a policy; "" when nothing is."""
    if "//" in pattern or "/" in pattern:
        return f'url.host_in: "{pattern}" is not a host; write the host alone, without scheme or path'
    if "*" in pattern.removeprefix("*."):
        return f'url.host_in: "{pattern}": `*` is understood only as the first label, as in "*.example.com"'
    try:
        _pattern(pattern)
    except CannotJudgeError as fault:
        return f'url.host_in: "{pattern}" is not a host: {fault}'
    return ""


def host_in(url: str, hosts: list[str]) -> bool:
    """Whether the URL's host is one of `hosts`. Raises CannotJudgeError when clients could differ about it."""
    host = _host_of(url)
    for text in hosts:
        name, subdomains = _pattern(text)
        if host.endswith("." + name) if subdomains else host == name:
            return True
    return False


@lru_cache(maxsize=256)
def _pattern(text: str) -> tuple[str, bool]:
    name = text.removeprefix("*.")
    return normal_host(name), name != text


def _host_of(url: str) -> str:
    if len(url) > _MAX_URL:
        raise CannotJudgeError("the URL is longer than 8,192 characters")
    if "\\" in url or " " in url or not url.isprintable():
        raise CannotJudgeError("the URL holds white space, a control character or a backslash")
    found = _URL.fullmatch(url)
    if found is None:
        raise CannotJudgeError("the URL does not begin with http://, https://, ws:// or wss://")
    authority, end, rest = found.groups()
    if "@" in authority:
        raise CannotJudgeError("the URL names a user before the host")
    if end in ("?", "#") and "@" in rest:
        raise CannotJudgeError("the URL has an @ that some clients take for the end of a user name")
    port = _PORT.search(authority)
    if port is not None:
        if int(port[1]) > _MAX_PORT:
            raise CannotJudgeError("the URL's port is not one")
        authority = authority[: port.start()]
    return normal_host(authority)


def normal_host(host: str) -> str:
    """The one form of a host: lower-case IDNA name without trailing dot, or an address; IPv6 in brackets on the way in.

    Raises CannotJudgeError when clients could differ about it.
    """
    if host.startswith("["):
        return _address6(host)
    if len(host) > _MAX_NAME + 1:
        raise CannotJudgeError("the host is longer than a name can be")
    if not host.isascii():
        host = _idna(host)
    host = host.lower().removesuffix(".")
    if len(host) > _MAX_NAME or _NAME.fullmatch(host) is None:
        raise CannotJudgeError("the host is not a name that every client reads the same way")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) is not None:
        return _address4(host)
    return host


def _address4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as fault:
        raise CannotJudgeError("the host is a number that clients read as different addresses") from fault


def _address6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]") if host.endswith("]") else "")
    except ValueError as fault:
        raise CannotJudgeError("the host is not an IPv6 address") from fault
    if address.scope_id is not None:
        raise CannotJudgeError("the host is an address with a zone")
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    embeds = address.sixtofour is not None or address.teredo is not None or any(address in net for net in _NAT64)
    if embeds and not (address.is_loopback or address.is_unspecified):
        raise CannotJudgeError("the host is an IPv6 address that embeds another address")
    return str(address)


def _idna(host: str) -> str:
    """The ASCII form of a name, if IDNA 2008 and the older mapping that some clients still use agree on it."""
    # 10 ms that a policy without such hosts need not pay.
    with IMPORTING:
        import idna

    if any(
        not _DELIMITERS.isdisjoint(unicodedata.normalize("NFKC", character)) for character in host if character > "\x7f"
    ):
        raise CannotJudgeError("the host holds a character that some clients take for a delimiter")
    try:
        modern = idna.encode(host, uts46=True, std3_rules=True)
        older = host.encode("idna")
    except UnicodeError as fault:
        raise CannotJudgeError("the host is not a valid international name") from fault
    if modern.lower() != older.lower():
        raise CannotJudgeError("the host means different names to different clients")
    name = modern.decode("ascii")
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        raise CannotJudgeError("the host is a number written in other digits")
    return name
