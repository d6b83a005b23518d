"""What `agentcop sandbox` says, for a person and for a program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from agentcop.cli._output import Tone, colours, escape, escape_json, paint, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop_processor.sandbox.boxes.probe import Reading
    from agentcop_processor.sandbox.image.archive import Built
    from agentcop_processor.sandbox.settings import Settings
    from agentcop_processor.sandbox.trial import Trial

BY_FALLBACK: Final = "process, by fallback"
_CELL: Final = 8
_ID: Final = len("sha256:") + 12
_NARROWEST: Final = 40
_PACKAGES: Final = {"docker": "docker.io", "podman": "podman"}
"""Container engines, and what Debian calls them."""
_MILLION: Final = 1_000_000


def print_built(built: Built, tag: str, what: str, *, pinned: str) -> None:
    """The image's id on stdout; what it is and what to do with it as talk. `pinned`: the id that the policy has."""
    say(f"{what}, {built.size / _MILLION:.0f} MB")
    if not pinned:
        say(f"in the policy: `image: {escape(tag)}`, and to pin it, `image_digest:`")
    elif pinned != built.id:
        say("the policy pins another image, and refuses this one until its `image_digest` is")
    click.echo(built.id)


def print_text(trials: Sequence[Trial], mode: str, by: Sequence[str], settings: Settings) -> None:
    """A table of the facts, a column for each engine's box; what is wrong; and the answer."""
    colour = colours(sys.stdout)
    opened = [trial for trial in trials if trial.facts]
    if opened:
        _table(opened, colour=colour)
    for trial in trials:
        _what_is_wrong(trial, colour=colour)
    for trial in trials:
        if trial.weaker:
            _line(trial.engine, "weaker", *trial.weaker, tone="ask", colour=colour)
    for line in (*_images(trials, settings), *_absent(trials)):
        click.echo(paint(escape(line), "dim", on=colour))
    if by:
        how = f": mode {mode}, on {' and '.join(by)}"
        if by == [BY_FALLBACK]:
            how = " by fallback: mode process, where container was asked for"
        click.echo(f"{paint('holds', 'good', on=colour)}{how}")
        return
    click.echo(f"{paint('DOES NOT HOLD', 'bad', on=colour)}: mode {mode}: calls that need a box are refused")
    if mode == "container" and any(trial.holds for trial in trials):
        # A box that is not what it must be is never made up for by a fallback.
        also = (
            ""
            if any(trial.wrong for trial in trials)
            else ", and so would `fallback: process` beside `mode: container`"
        )
        click.echo(f"`mode: process` would hold here{also}")


def _what_is_wrong(trial: Trial, *, colour: bool) -> None:
    """A line for each miss; or why there is no box, with the ways out of that below each other."""
    if trial.holds:
        return
    if not trial.facts:
        _line(trial.engine, "no box", *(trial.lines or (trial.why,)), tone="bad", colour=colour)
        return
    for why in [each.miss for each in trial.facts if each.miss] or [trial.why]:
        _line(trial.engine, "MISS", why, tone="bad", colour=colour)


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
                "weaker": list(trial.weaker),
                "facts": [
                    {"name": each.name, "asked": each.asked, "found": each.found, "miss": each.miss}
                    for each in trial.facts
                ],
            }
            for trial in trials
        ],
    }
    click.echo(escape_json(orjson.dumps(answer).decode()))


def _table(trials: Sequence[Trial], *, colour: bool) -> None:
    """What was asked for, and whether each box has it."""
    facts = {each.name: each for trial in reversed(trials) for each in trial.facts}
    names = dict.fromkeys(each.name for trial in trials for each in trial.facts)
    label = max(len(each.label) for each in facts.values())
    asked = max(len(each.asked) for each in facts.values())
    heads = "  ".join(f"{trial.engine:<{_CELL}}" for trial in trials)
    click.echo(paint(f"{'':<{label}}  {'asked':<{asked}}  {heads}".rstrip(), "dim", on=colour))
    for name in names:
        cells = "  ".join(_cell(_fact(trial, name), weaker=bool(trial.weaker), colour=colour) for trial in trials)
        click.echo(f"{facts[name].label:<{label}}  {facts[name].asked:<{asked}}  {cells}".rstrip())
    calls = "  ".join(_call(trial, colour=colour) for trial in trials)
    click.echo(f"{'a call':<{label}}  {'':<{asked}}  {calls}".rstrip())


def _fact(trial: Trial, name: str) -> Reading | None:
    return next((each for each in trial.facts if each.name == name), None)


def _cell(fact: Reading | None, *, weaker: bool, colour: bool) -> str:
    """Padded before it is painted: colour codes have a length too. What a weaker box does not promise is said below."""
    if fact is None:
        return paint(f"{'weaker' if weaker else '':<{_CELL}}", "ask", on=colour)
    return paint(f"{'MISS' if fact.miss else 'ok':<{_CELL}}", "bad" if fact.miss else "good", on=colour)


def _call(trial: Trial, *, colour: bool) -> str:
    if trial.holds:
        return f"{f'{trial.ms:.0f} ms':<{_CELL}}"
    tried = not any(each.miss for each in trial.facts)
    return paint(f"{'MISS' if tried else 'not made':<{_CELL}}", "bad" if tried else "dim", on=colour)


def _images(trials: Sequence[Trial], settings: Settings) -> Iterator[str]:
    pin = settings.image_digest
    for image in dict.fromkeys(trial.image for trial in trials if trial.image):
        engines = ", ".join(trial.engine for trial in trials if trial.image == image)
        pinned = "not pinned" if not pin else "pinned" if pin == image else "and another is pinned"
        yield f"{engines}: {settings.image} is {image[:_ID]}, {pinned}"


def _absent(trials: Sequence[Trial]) -> list[str]:
    """Container engines beside the one that answers."""
    names = {trial.engine for trial in trials}
    absent = sorted(set(_PACKAGES) - names) if names & set(_PACKAGES) else []
    return [
        f"{name}: does not answer here (apt-get install {_PACKAGES[name]}); one engine is enough" for name in absent
    ]


def _line(engine: str, word: str, *lines: str, tone: Tone, colour: bool) -> None:
    """One thing that is not as it must be, or could be better."""
    indent = len(f"{engine}  {word}  ")
    click.echo(f"{engine}  {paint(word, tone, on=colour)}  {_folded(lines, indent)}")


def _folded(lines: Sequence[str], indent: int) -> str:
    """The lines below each other; on a terminal each folded to its width."""
    shown = [escape(line) for line in lines]
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, _NARROWEST) - indent
        shown = [part for line in shown for part in textwrap.wrap(line, width, break_on_hyphens=False) or [""]]
    return f"\n{' ' * indent}".join(shown)
