"""How the command speaks: nothing it prints can drive a terminal, colour only where somebody looks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import click

from agentcop_core.escape import escape, escape_json, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO, Any

__all__ = ["Tone", "colours", "escape", "escape_json", "form_option", "paint", "say", "shorten"]

Tone = Literal["good", "ask", "bad", "dim"]
"""`good` green, `ask` yellow, `bad` red, `dim` for what stands aside. The words say the same without colour."""


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


def form_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says how to print: the command is given `form`, "text" or "json"."""
    return click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help="How to print.",
        show_default=True,
    )(command)


def say(text: str) -> None:
    """Talk: a line on stderr."""
    click.echo(text, err=True)
