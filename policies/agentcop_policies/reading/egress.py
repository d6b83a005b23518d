"""Whether a sandbox's way out is whole: places that can be places, and secrets that stay out of the policy's text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_policies.document.places import NoPlace, Place, place
from agentcop_policies.document.sections import NetworkAllow
from agentcop_policies.reading.problems import quoted
from agentcop_policies.secrets import holds_default, holds_reference, is_malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_policies.document.sections import Sandbox, Secret
    from agentcop_policies.reading.tree import Path

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}", re.ASCII)
_TLS_PORT: Final = 443
_PLAIN: Final = "http://"
_OURS: Final = frozenset(
    (
        "host",
        "connection",
        "proxy-connection",
        "proxy-authorization",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
        "accept-encoding",
        "range",
        "if-range",
    )
)
"""Headers that the proxy itself writes or takes away."""


def place_problem(text: str) -> str:
    """What is wrong with a `host:port` of a policy; "" when nothing is."""
    try:
        place(text)
    except NoPlace as fault:
        return f"expected host:port, got {quoted(text)}: {fault}"
    return ""


def secret_problems(sandbox: Sandbox) -> Iterator[tuple[Path, str]]:
    """What is wrong with `sandbox.secrets`, and where; says nothing of their values."""
    given: set[tuple[Place, str]] = set()
    for index, secret in enumerate(sandbox.secrets):
        path: Path = ("sandbox", "secrets", index)
        if text := _value_problem(secret):
            yield (*path, "value"), text
        if not _HEADER.fullmatch(secret.header) or secret.header.lower() in _OURS:
            yield (*path, "header"), f"{quoted(secret.header)} is no header that can be added"
        if text := place_problem(secret.host.removeprefix(_PLAIN)):
            yield (*path, "host"), text
            continue
        where = place(secret.host.removeprefix(_PLAIN))
        if secret.host.startswith(_PLAIN) and where.port == _TLS_PORT:
            yield (*path, "host"), "port 443 speaks https: leave http:// away"
        if (where, secret.header.lower()) in given:
            yield path, f"{quoted(secret.header)} is given twice for {where}"
        if any(other == where and plain != secret.host.startswith(_PLAIN) for other, plain in _before(sandbox, index)):
            yield (*path, "host"), f"{where} is written both with http:// and without"
        given.add((where, secret.header.lower()))
        if not _reached(sandbox, where):
            yield (*path, "host"), f"sandbox.network lets nothing reach {where}"


def _value_problem(secret: Secret) -> str:
    if is_malformed(secret.value):
        return "a secret's value is written with ${NAME}"
    if not holds_reference(secret.value) or holds_default(secret.value):
        return "a secret stands in the environment, not in a policy: write ${NAME}, without a default"
    return ""


def _before(sandbox: Sandbox, index: int) -> Iterator[tuple[Place, bool]]:
    for secret in sandbox.secrets[:index]:
        if not place_problem(secret.host.removeprefix(_PLAIN)):
            yield place(secret.host.removeprefix(_PLAIN)), secret.host.startswith(_PLAIN)


def _reached(sandbox: Sandbox, where: Place) -> bool:
    if isinstance(sandbox.network, NetworkAllow):
        return any(not place_problem(text) and place(text) == where for text in sandbox.network.allow)
    return sandbox.network != "none"
