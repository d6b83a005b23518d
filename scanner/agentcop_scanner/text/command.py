"""Commands in text that run what they have just fetched or decoded. Every pattern is linear in a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST: Final = 2_000
_FETCH: Final = r"\b(?:curl|wget|fetch|iwr|irm|invoke-webrequest|invoke-restmethod)\b"
_SHELL: Final = r"(?:(?:sudo\s+(?:-\w+\s+)?)?(?:env\s+)?(?:/\w+/(?:\w+/)?)?(?:(?:ba|z|da|k|a)?sh|iex|invoke-expression)(?![\w.-])|(?:sudo\s+)?(?:python[0-9.]*|perl|ruby|node|php)(?:\s+-)?\s*(?:$|[;&|\"'`)>]))"
_DECODE: Final = r"base64\s+(?:-d|-D|--decode|-di)\b|base64 -d\b|xxd -r|openssl (?:enc )?-?base64 -d"
_PIPED_FETCH: Final = re.compile(rf"{_FETCH}[^|\n]{{0,600}}+\|(?:[^|\n]{{0,200}}\|)?\s*{_SHELL}", re.IGNORECASE)
_INNER_FETCH: Final = re.compile(
    rf"\b(?:(?:ba|z|da|k|a)?sh|eval|source|iex|invoke-expression)\s[^\n]{{0,40}}?(?:<\(|\$\(|(?<=iex )\(|(?<=eval )`)\s*(?:{_FETCH})",
    re.IGNORECASE,
)
_CRADLE: Final = re.compile(r"\b(?:iex|invoke-expression)\b[^\n]{0,80}?downloadstring", re.IGNORECASE)
_PIPED_DECODE: Final = re.compile(rf"(?:{_DECODE})[^|\n]{{0,300}}+\|\s*{_SHELL}", re.IGNORECASE)
_INNER_DECODE: Final = re.compile(
    rf"\b(?:(?:ba|z|da|k|a)?sh|eval|source|python[0-9.]*)\s[^\n]{{0,40}}?(?:<\(|\$\(|`)[^\n]{{0,600}}?(?:{_DECODE})|exec\(\s*(?:base64|__import__\(.base64.\))\.b64decode",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"https?://[^\s\"'`)>|;]{1,300}")
_ANY: Final = re.compile(rf"{_FETCH}|base64|b64decode|xxd|openssl|downloadstring", re.IGNORECASE)
_AGAINST: Final = re.compile(
    r"\b(?:never|do not|don't|must not|avoid|instead of|refuse|reject|block|dangerous|not allowed)\b", re.IGNORECASE
)
_KNOWN: Final = words(
    "astral.sh sh.rustup.rs bun.sh deno.land get.docker.com install.python-poetry.org get.pnpm.io fnm.vercel.app mise.run"
    " mise.jdx.dev nixos.org install.determinate.systems get.helm.sh starship.rs cli.github.com claude.ai ollama.com pyenv.run"
)
"""Installers that a great many machines run this way: still said, but as a small thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A command that runs what nobody has looked at."""

    what: str
    start: int
    end: int
    known: bool
    """From one of the usual installers, over https."""


def fetched(text: str) -> Iterator[Fetched]:
    """At most one such command a line, those that the text warns against left out."""
    if not _ANY.search(text):
        return
    at = 0
    for line in text.split("\n"):
        found = _found(line[:_LONGEST])
        if found is not None:
            match, what = found
            yield Fetched(what=what, start=at + match.start(), end=at + match.end(), known=_is_known(line))
        at += len(line) + 1


def _found(line: str) -> tuple[re.Match[str], str] | None:
    for pattern, what in (
        (_PIPED_FETCH, "runs what it downloads"),
        (_INNER_FETCH, "runs what it downloads"),
        (_CRADLE, "runs what it downloads"),
        (_PIPED_DECODE, "runs what it decodes"),
        (_INNER_DECODE, "runs what it decodes"),
    ):
        match = pattern.search(line)
        if match is not None and not _AGAINST.search(line, 0, match.start()):
            return match, what
    return None


def _is_known(line: str) -> bool:
    hosts = []
    for address in _ADDRESS.findall(line):
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        hosts.append(parts.scheme == "https" and (parts.hostname or "") in _KNOWN)
    return bool(hosts) and all(hosts)
