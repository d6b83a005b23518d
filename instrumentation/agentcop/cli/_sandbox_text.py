"""What `agentcop sandbox` says, for a person and for a program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from agentcop.cli._output import colours, escape, escape_json, paint, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_processor.sandbox.image.archive import Built
    from agentcop_processor.sandbox.trial import Trial

_LABEL: Final = 6
_MILLION: Final = 1_000_000


def print_built(built: Built, tag: str, what: str, *, pinned: str) -> None:
    """The image's id on stdout; what it is and what to do with it as talk. `pinned`: the id that the policy has."""
    say(f"{what}, {built.size / _MILLION:.0f} MB")
    if not pinned:
        say(f"pin it in the policy, beside `image: {escape(tag)}`: `image_digest:` and")
    elif pinned != built.id:
        say("the policy pins another image: it refuses this one until its `image_digest` is")
    click.echo(built.id)


def print_text(trials: Sequence[Trial], mode: str, by: Sequence[str]) -> None:
    """Each engine's box, fact by fact, then the answer."""
    colour = colours(sys.stdout)
    for trial in trials:
        click.echo(trial.engine)
        width = max((len(each.label) for each in trial.facts), default=0)
        for each in trial.facts:
            found = each.found if not each.miss else each.miss.partition(": ")[2]
            _line(f"{each.label:<{width}}  {found}", good=not each.miss, word="MISS", colour=colour)
        if not trial.facts:
            _line(trial.why, good=False, word="no box", colour=colour)
        elif trial.holds:
            _line(f"{'a call':<{width}}  2 + 3 came back as 5 in {trial.ms:.0f} ms", good=True, colour=colour)
        elif not any(each.miss for each in trial.facts):
            _line(f"{'a call':<{width}}  {trial.why}", good=False, word="MISS", colour=colour)
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


def _line(text: str, *, good: bool, word: str = "", colour: bool) -> None:
    label = paint(f"{'ok' if good else word:<{_LABEL}}", "good" if good else "bad", on=colour)
    click.echo(f"  {label}  {escape(text)}")
