"""Secrets in text: by their shape, which the redactor knows too, and by the name that they stand under."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_core.redact.secrets import SHAPES
from agentcop_core.redact.sensitive import sensitivity
from agentcop_scanner.text.randomness import entropy, is_placeholder, looks_like_password, looks_random
from agentcop_scanner.text.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_BLOCK: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\s\"'+,|>()\\nr]{0,64})([A-Za-z0-9+/]{40,80}+)"
)
_PREFIX: Final = re.compile(r"(?:[A-Za-z]{1,12}[-_])(?:[A-Za-z0-9]{1,12}[-_]){0,2}")
_SOFT: Final = frozenset({"url-password", "password", "bearer-token"})
"""Kinds whose shape says little: the value must look like a secret as well."""
_DULL_PASSWORDS: Final = frozenset(
    [
        "password",
        "passwd",
        "pass",
        "secret",
        "user",
        "username",
        "admin",
        "root",
        "postgres",
        "mysql",
        "redis",
        "guest",
        "test",
        "token",
        "mypassword",
        "minio",
        "example",
        "localhost",
        "rabbitmq",
        "neo4j",
        "elastic",
        "changeit",
        "default",
        "none",
        "null",
        "pwd",
        "pw",
        "key",
    ]
)
_MIN_BITS: Final = 2.8
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret in a text; never holds the secret itself."""

    kind: str
    """What it is, as a person says it: `GitHub token`, `value of "api_key"`."""
    start: int
    end: int
    typed: bool
    """Known by its shape, and not only by the name before it."""


_SPOKEN: Final = {
    "aws-key": "AWS access key",
    "github-token": "GitHub token",
    "gitlab-token": "GitLab token",
    "slack-token": "Slack token",
    "slack-webhook": "Slack webhook address",
    "discord-webhook": "Discord webhook address",
    "api-key": "API key (sk-…)",
    "stripe-key": "Stripe key",
    "google-key": "Google API key",
    "google-token": "Google access token",
    "google-secret": "Google client secret",
    "npm-token": "npm token",
    "pypi-token": "PyPI token",
    "huggingface-token": "Hugging Face token",
    "sendgrid-key": "SendGrid key",
    "twilio-key": "Twilio key",
    "telegram-token": "Telegram bot token",
    "jwt": "JSON web token",
    "bearer-token": "bearer token",
    "url-password": "password in an address",
    "password": "password in a command",
}


def typed_secrets(text: str) -> Iterator[Secret]:
    """The secrets that are known by their shape, placeholders left out. Linear in the text."""
    taken: list[tuple[int, int]] = []
    for shape in (*SHAPES, *VENDORS):
        if shape.needle not in text:
            continue
        for found in shape.pattern.finditer(text):
            group = 1 if shape.pattern.groups else 0
            start, end = found.span(group)
            value = found[group].strip("\"'")
            if _is_real(shape.kind, value) and not any(first < end and start < last for first, last in taken[-8:]):
                taken.append((start, end))
                yield Secret(kind=_SPOKEN.get(shape.kind, shape.kind), start=start, end=end, typed=True)
    if "PRIVATE KEY" in text:
        for found in _KEY_BLOCK.finditer(text):
            if not is_placeholder(found[1]) and entropy(found[1]) > _MIN_BITS:
                yield Secret(kind="private key", start=found.start(), end=found.end(), typed=True)


def is_secret_value(name: str, value: str) -> bool:
    """Whether a value that stands under a name is a secret: the name says so, and the value looks like one."""
    if not 8 <= len(value) <= _LONGEST or sensitivity(name) == "no":  # noqa: PLR2004  # shorter ones are no secrets
        return False
    if sensitivity(name) == "line":  # Authorization: Bearer …
        value = value.rpartition(" ")[2]
    if is_placeholder(value) or " " in value.strip():
        return False
    return looks_random(value) or looks_like_password(name, value)


def _is_real(kind: str, value: str) -> bool:
    if is_placeholder(value):
        return False
    if kind in _SOFT:
        return (
            value.lower() not in _DULL_PASSWORDS
            and not value.startswith(("$", "%"))
            and (looks_random(value) or (kind != "bearer-token" and _is_mixed(value)))
        )
    body = _PREFIX.sub("", value, count=1)
    return any(map(str.isdigit, body)) and entropy(body) > _MIN_BITS and not _all_words(body)


def _is_mixed(value: str) -> bool:
    return len(value) > 7 and any(map(str.isdigit, value)) and any(map(str.isalpha, value))  # noqa: PLR2004  # a password


def _all_words(body: str) -> bool:
    """`learn-contrib-2-tutorial` has the prefix of a key and is a name."""
    year = 4
    parts = [part for part in re.split(r"[-_]", body) if part]
    return len(parts) > 1 and all(
        (part.isalpha() and part.islower()) or (part.isdigit() and len(part) <= year) for part in parts
    )
