"""What `agentcop sandbox` says, for a person and for a program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from agentcop.cli._output import colours, escape, escape_json, paint, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_processor.sandbox.image.archive import Built
    from agentcop_processor.sandbox.settings import Settings
    from agentcop_processor.sandbox.trial import Trial

_LABEL: Final = 6
_ID: Final = len("sha256:") + 12
_NARROWEST: Final = 40
_MILLION: Final = 1_000_000


def print_built(built: Built, tag: str, what: str, *, pinned: str) -> None:
    """The image's id on stdout; what it is and what to do with it as talk. `pinned`: the id that the policy has."""
    say(f"{what}, {built.size / _MILLION:.0f} MB")
    if not pinned:
        say(f"in the policy: `image: {escape(tag)}` and, to have no other run under that name, `image_digest:`")
    elif pinned != built.id:
        say("the policy pins another image, and refuses this one until its `image_digest` is")
    click.echo(built.id)


def print_text(trials: Sequence[Trial], mode: str, by: Sequence[str], settings: Settings) -> None:
    """Each engine's box, fact by fact, then the answer."""
    colour = colours(sys.stdout)
    for trial in trials:
        image = f"  {settings.image} {trial.image[:_ID]}{_pin(settings)}" if trial.image else ""
        click.echo(f"{trial.engine}{paint(escape(image), 'dim', on=colour)}")
        width = max((len(each.label) for each in trial.facts), default=0)
        for each in trial.facts:
            found = each.found if not each.miss else each.miss.partition(": ")[2]
            _line(f"{each.label:<{width}}  {found}", "MISS" if each.miss else "ok", colour=colour)
        if not trial.facts:
            _line(trial.why, "no box", colour=colour)
        elif trial.holds:
            _line(f"{'a call':<{width}}  2 + 3 came back as 5 in {trial.ms:.0f} ms", "ok", colour=colour)
        elif not any(each.miss for each in trial.facts):
            _line(f"{'a call':<{width}}  {trial.why}", "MISS", colour=colour)
    for name in _absent(trials):
        click.echo(paint(f"{name}  does not answer here; one engine is enough", "dim", on=colour))
    if by:
        click.echo(f"{paint('holds', 'good', on=colour)}: mode {mode}, on {' and '.join(by)}")
    else:
        click.echo(f"{paint('DOES NOT HOLD', 'bad', on=colour)}: mode {mode}: calls that need a box are refused")


def print_json(trials: Sequence[Trial], mode: str, by: Sequence[str]) -> None:
    """One JSON object."""
    answer: dict[str, Any] = {
        "mode": mode,
        "holds": bool(by),
        "by": list(by),
        "engines": [
            {
                "engine": trial.engine,
                "image": trial.image,
                "holds": trial.holds,
                "why": trial.why,
                "ms": trial.ms,
                "facts": [
                    {"name": each.name, "asked": each.asked, "found": each.found, "miss": each.miss}
                    for each in trial.facts
                ],
            }
            for trial in trials
        ],
    }
    click.echo(escape_json(orjson.dumps(answer).decode()))


def _pin(settings: Settings) -> str:
    return ", pinned" if settings.image_digest else ", not pinned"


def _absent(trials: Sequence[Trial]) -> list[str]:
    """Container engines beside the one that answers."""
    names = {trial.engine for trial in trials}
    return sorted({"docker", "podman"} - names) if {"docker", "podman"} & names else []


def _line(text: str, word: str, *, colour: bool) -> None:
    """One line of the list; on a terminal folded to its width, the words below each other."""
    label = paint(f"{word:<{_LABEL}}", "good" if word == "ok" else "bad", on=colour)
    shown = escape(text)
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, _NARROWEST) - _LABEL - 4
        shown = f"\n{' ' * (_LABEL + 4)}".join(textwrap.wrap(shown, width, break_on_hyphens=False) or [""])
    click.echo(f"  {label}  {shown}")
