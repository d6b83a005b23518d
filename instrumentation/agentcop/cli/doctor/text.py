"""The doctor's answer, for a person and for a program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from agentcop.cli._output import Tone, colours, escape, escape_json, paint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop.cli.doctor.checks.found import Context, Found, State
    from agentcop.cli.doctor.probes.canary import Seam, SeamState

_SEAM_TONES: Final[dict[SeamState, Tone]] = {
    "ENFORCED": "good",
    "OBSERVE-ONLY": "ask",
    "BYPASSED": "bad",
    "NOT GOVERNED": "bad",
}
_TONES: Final[dict[State, Tone]] = {"ok": "good", "warning": "ask", "failed": "bad"}
_PLAIN: Final = "python"
_INDENT: Final = 2
_COLUMN: Final = 14
_NARROWEST: Final = 40
_WIDEST: Final = 120


def print_text(seams: Sequence[Seam], found: Sequence[Found], context: Context, *, holds: bool) -> None:
    """Seams, then checks, then the answer. Wrapped where a person looks, a line each elsewhere."""
    colour = colours(sys.stdout)
    click.echo("seams: a denied call of a tool that was made for this")
    for state, tone, text in _seam_lines(seams):
        _line(state, tone, text, colour=colour)
    if all(seam.framework == _PLAIN for seam in seams):
        alone = "no agent framework is installed here: functions are judged where cop.tool or cop.wrap got them"
        _line("note", "ask", alone, colour=colour)
    click.echo("checks")
    for each in found:
        _line(each.state, _TONES[each.state], f"{each.check}: {each.reason}", colour=colour)
    if holds:
        warnings = sum(each.state == "warning" for each in found)
        more = f", with {warnings} {'warning' if warnings == 1 else 'warnings'}" if warnings else ""
        click.echo(f"{paint('protected', 'good', on=colour)} by {escape(context.policy_file)}{more}")
    else:
        open_seams = sum(not seam.holds for seam in seams)
        bad = sorted({each.check for each in found if each.state == "failed"})
        why = [f"{open_seams} {'seam' if open_seams == 1 else 'seams'}"] if open_seams else []
        click.echo(f"{paint('NOT PROTECTED', 'bad', on=colour)}: {', '.join(why + bad)}")


def print_json(seams: Sequence[Seam], found: Sequence[Found], context: Context, *, holds: bool) -> None:
    """One JSON object."""
    answer: dict[str, Any] = {
        "protected": holds,
        "policy": context.policy_file,
        "home": str(context.home),
        "seams": [seam.plain() for seam in seams],
        "checks": [{"check": each.check, "state": each.state, "reason": each.reason} for each in found],
    }
    click.echo(escape_json(orjson.dumps(answer).decode()))


def _seam_lines(seams: Sequence[Seam]) -> Iterator[tuple[str, Tone, str]]:
    """A line for each seam; what is the same here and in the child is said once."""
    grouped: dict[tuple[str, str, str], list[Seam]] = {}
    for seam in seams:
        grouped.setdefault((_name(seam), seam.state, seam.reason), []).append(seam)
    for (name, _, reason), same in grouped.items():
        state = same[0].state
        where = " and ".join("here" if seam.process == "this" else "in a child" for seam in same)
        if state == "ENFORCED":
            text = f"{name}: refused {where}"
        elif same[0].process == "child":
            text = f"{name}, {where}: {reason}"
        else:
            text = f"{name}: {reason}"
        yield state, _SEAM_TONES[state], text


def _name(seam: Seam) -> str:
    release = seam.release
    framework = release if release.startswith(seam.framework) else seam.framework
    if release and framework != release:
        framework += f" ({release})"
    return f"{framework} {seam.way}" if seam.way else framework


def _line(state: str, tone: Tone, text: str, *, colour: bool) -> None:
    """One line of the list; on a terminal folded to its width, the words below each other."""
    # Padded before it is painted: colour codes have a length too.
    label = " " * _INDENT + paint(f"{state:<{_COLUMN}}", tone, on=colour)
    shown = escape(text)
    if sys.stdout.isatty():
        width = min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST) - _INDENT - _COLUMN
        lines = textwrap.wrap(shown, width, break_on_hyphens=False) or [""]
        shown = f"\n{' ' * (_INDENT + _COLUMN)}".join(lines)
    click.echo(f"{label}{shown}")
