"""Commands in text that run what they have just fetched or decoded. Every pattern is linear in a line."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOWNLOADS: Final = "runs what it downloads"
_UNPACKS: Final = "runs what it decodes"
_FETCH: Final = r"\b(?:curl|wget|fetch|iwr|irm|invoke-webrequest|invoke-restmethod)\b"
_SHELL: Final = (
    r"(?:(?:sudo\s+(?:-\w+\s+)?)?(?:env\s+)?(?:/\w+/(?:\w+/)?)?(?:(?:ba|z|da|k|a)?sh|iex"
    r"|invoke-expression)(?![\w.-])|(?:sudo\s+)?(?:python[0-9.]*|perl|ruby|node|php)(?:\s+-)?\s*(?:$|[;&|\"'`)>]))"
)
_DECODE: Final = r"base64\s+(?:-d|-D|--decode|-di)\b|base64 -d\b|xxd -r|openssl (?:enc )?-?base64 -d"
_PIPED_FETCH: Final = re.compile(rf"{_FETCH}[^|\n]{{0,600}}+\|(?:[^|\n]{{0,200}}\|)?\s*{_SHELL}", re.IGNORECASE)
_OPENS: Final = re.compile(
    r"\b(?:(?:ba|z|da|k|a)?sh|eval|source|python[0-9.]{0,5}|iex|invoke-expression)\s[^\n`$<(]{0,40}+(?:<\(|\$\("
    r"|`|(?<=iex )\()\s{0,8}+",
    re.IGNORECASE,
)
"""A shell that is handed what the command inside gives."""
_FETCHES: Final = re.compile(_FETCH, re.IGNORECASE)
_DECODES: Final = re.compile(_DECODE, re.IGNORECASE)
_PYTHON_DECODE: Final = re.compile(r"exec\(\s{0,8}+(?:base64|__import__\(.base64.\))\.b64decode", re.IGNORECASE)
_INSIDE: Final = 600
_CRADLE: Final = re.compile(r"\b(?:iex|invoke-expression)\b[^\n]{0,80}?downloadstring", re.IGNORECASE)
_PIPED_DECODE: Final = re.compile(rf"(?:{_DECODE})[^|\n]{{0,300}}+\|\s*{_SHELL}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?://[^\s\"'`)>|;]{1,300}")
_ANY: Final = re.compile(rf"{_FETCH}|base64|b64decode|xxd|openssl|downloadstring", re.IGNORECASE)
_AGAINST: Final = re.compile(
    r"\b(?:never|do not|don't|must not|avoid|instead of|refuse|reject|block|dangerous|not allowed)\b", re.IGNORECASE
)
_SENTENCE_END: Final = re.compile(r"[.!?;:](?=\s)")
_EXAMPLES: Final = ("as in", "such as", "e.g.", "like", "for example", "for instance", "i.e.")
_KNOWN: Final = words(
    "astral.sh sh.rustup.rs bun.sh deno.land get.docker.com install.python-poetry.org get.pnpm.io"
    " fnm.vercel.app mise.run"
    " mise.jdx.dev nixos.org install.determinate.systems get.helm.sh starship.rs cli.github.com claude.ai"
    " ollama.com pyenv.run"
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
        found = _found(line)
        if found is not None:
            match, what = found
            yield Fetched(what=what, start=at + match.start(), end=at + match.end(), known=_is_known(line))
        at += len(line) + 1


def _found(line: str) -> tuple[re.Match[str], str] | None:
    for match, what in _candidates(line):
        if not _warned(line[max(0, match.start() - _INSIDE) : match.start()]):
            return match, what
    return None


def _warned(before: str) -> bool:
    """Whether the words before a command forbid it: in its own clause, or in the one that it is an example of."""
    sentence = _SENTENCE_END.split(before)[-1]
    *earlier, clause = sentence.split(", ")
    if _AGAINST.search(clause):
        return True
    return bool(earlier) and clause.lstrip().startswith(_EXAMPLES) and _AGAINST.search(earlier[-1]) is not None


def _candidates(line: str) -> Iterator[tuple[re.Match[str], str]]:
    for pattern, what in (
        (_PIPED_FETCH, _DOWNLOADS),
        (_CRADLE, _DOWNLOADS),
        (_PIPED_DECODE, _UNPACKS),
        (_PYTHON_DECODE, _UNPACKS),
    ):
        match = pattern.search(line)
        if match is not None:
            yield match, what
    for match in _OPENS.finditer(line):
        if _FETCHES.match(line, match.end()):
            yield match, _DOWNLOADS
            break
    decodes = list(_DECODES.finditer(line))
    for opened in _OPENS.finditer(line) if decodes else ():
        at = bisect_left(decodes, opened.end(), key=lambda match: match.start())
        if at < len(decodes) and decodes[at].start() - opened.end() < _INSIDE:
            yield opened, _UNPACKS
            break


def _is_known(line: str) -> bool:
    hosts = []
    for address in _ADDRESS.findall(line):
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        hosts.append(parts.scheme == "https" and (parts.hostname or "") in _KNOWN)
    return bool(hosts) and all(hosts)
