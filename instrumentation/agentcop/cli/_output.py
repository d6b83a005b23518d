"""How the command speaks: nothing it prints can drive a terminal, colour only where somebody looks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

Tone = Literal["good", "ask", "bad", "dim"]
"""`good` green, `ask` yellow, `bad` red, `dim` for what stands aside. The words say the same without colour."""


def escape(text: str) -> str:
    """`text` on one line, with every character that a terminal would act on or not show written as its code.

    That is controls (ESC, C1, newlines), bidi marks, zero-width and unassigned characters, and all spaces but one.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _code(char) for char in text)


def escape_json(text: str) -> str:
    """JSON that means the same, with those characters as JSON's own escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _json_code(char) for char in text)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, and how many were left out: never cut silently."""
    return text if len(text) <= limit else f"{text[:limit]}… +{len(text) - limit:,} chars"


def colours(stream: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour what goes to `stream`: only a terminal, and never against NO_COLOR."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def paint(text: str, tone: Tone, *, on: bool) -> str:
    """`text` in a tone, or as it is."""
    if not on:
        return text
    match tone:
        case "good":
            return click.style(text, fg="green")
        case "ask":
            return click.style(text, fg="yellow")
        case "bad":
            return click.style(text, fg="red", bold=True)
        case "dim":
            return click.style(text, dim=True)


def say(text: str) -> None:
    """Talk: a line on stderr."""
    click.echo(text, err=True)


def _code(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _json_code(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
