"""`agentcop gate`: read gate.log, and check that nobody changed it."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from agentcop.cli._output import colours, escape, escape_json, form_option, paint, say
from agentcop_core.home import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agentcop_processor.gatelog.verify import Report

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_POLL = 0.25

_home = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state folder that holds gate.log. [default: $AGENTCOP_HOME, else the user's]",
)


class Age(click.ParamType[float]):
    """A length of time, `90s`, `15m`, `1h`, `2d` or `1w`, as seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 -- click's own
        """Seconds; a usage error for anything else."""
        match = re.fullmatch(r"([0-9]{1,6})([smhdw])", str(value))
        if match is None:
            self.fail(f"{value!r} is no length of time; write 90s, 15m, 1h, 2d or 1w", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


@click.group()
def gate() -> None:
    """Read gate.log, and check that nobody changed it."""


@gate.command(short_help="Print the gate's decisions.")
@click.option(
    "--blocked", is_flag=True, help="Only calls that were refused, or whose box asked for a place it must not reach."
)
@click.option("--tool", default="", metavar="NAME", help="Only calls of this tool.")
@click.option("--session", default="", metavar="ID", help="Only calls of this session.")
@click.option("--agent", default="", metavar="ID", help="Only calls of this agent.")
@click.option("--since", type=Age(), metavar="AGE", help="Only what is younger: 90s, 15m, 1h, 2d, 1w.")
@click.option("--follow", is_flag=True, help="Go on as the log grows.")
@_home
@form_option
def log(  # noqa: PLR0913 -- one parameter an option
    *,
    blocked: bool,
    tool: str,
    session: str,
    agent: str,
    since: float | None,
    follow: bool,
    home: Path | None,
    form: str,
) -> None:
    """Print the decisions of the gate, oldest first, each with what became of the call.

    A call that the policy allowed and that could not run after all, as for want of a box, stands there as refused.

    With -f json the lines come as they stand in the file, with unprintable characters as JSON escapes. Lines that
    cannot be read are counted on stderr.
    """
    from agentcop.cli.gate.text import text_of
    from agentcop_processor.gatelog.read import Entries, Filter

    folder = _folder(home, wait=follow)
    started = None if since is None else time.time() - since
    asked = Filter(blocked=blocked, tool=tool, session=session, agent=agent, since=started)
    entries = Entries(folder, asked, _wait if follow else None)
    colour = form == "text" and colours(sys.stdout)
    shown = (
        text_of(entries, colour=colour, wait=not follow)
        if form == "text"
        else (escape_json(line.data.decode()) for line in entries)
    )
    count = 0
    try:
        for count, text in enumerate(shown, 1):  # noqa: B007 -- read after the loop
            sys.stdout.write(f"{text}\n")
            if follow:
                sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stdout.flush()
    if not count:
        say(f"nothing in {escape(str(folder / 'gate.log'))} matches")
    if entries.unreadable:
        say(f"gate.log: {entries.unreadable:,} lines could not be read, the first at {entries.first_unreadable}")


@gate.command(short_help="Check gate.log's hash chains.")
@_home
@click.option(
    "--heads",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="What others saw: a file of w:n:hash lines or OTLP/JSON spans, or a folder of such files (the spool).",
)
@form_option
def verify(*, home: Path | None, heads: Path | None, form: str) -> None:
    """Check the hash chains of gate.log, and name the first broken line of each.

    Finds any edit, drop or swap that is not followed by re-hashing, except in a chain's last line; with --heads also
    truncation and re-hashing. Exits 0 if all is intact, 1 if something is broken, 2 if it could not be told.
    """
    from agentcop_processor.gatelog.heads import read_heads
    from agentcop_processor.gatelog.verify import verify as check

    folder = _folder(home, wait=False)
    witnessed = read_heads(heads) if heads is not None else None
    if witnessed is not None and not witnessed.seen:
        raise OSError(f"{heads} holds no head of gate.log: nothing is witnessed by it")
    report = check(folder, witnessed)
    (_print_json if form == "json" else _print_text)(report, folder)
    if not report.intact:
        sys.exit(1)
    if report.unchecked:
        sys.exit(2)


def _folder(home: Path | None, *, wait: bool) -> Path:
    from agentcop_processor.gatelog.read import has_log

    folder = state_folder() if home is None else home.absolute()
    if not has_log(folder):
        if not wait:
            raise OSError(f"there is no gate.log in {folder}: no gated call was made there yet, or --home is another")
        say(f"waiting for gate.log in {escape(str(folder))}")
    return folder


def _wait() -> bool:
    sys.stdout.flush()
    time.sleep(_POLL)
    return True


def _print_text(report: Report, folder: Path) -> None:
    colour = colours(sys.stdout)
    write: Callable[[str], None] = click.echo
    write(
        f"{escape(str(folder))}: {_count(report.lines, 'line')} in {_count(len(report.files), 'file')}, "
        f"{_count(len(report.chains), 'chain')}"
    )
    for found in report.breaks:
        chain = f"  (writer {escape(found.writer)}, line {found.seq} of its chain)" if found.writer else ""
        text = " ".join(part for part in (escape(found.where), escape(found.why)) if part)
        write(f"{paint('broken', 'bad', on=colour)}  {text}{chain}")
    for note in report.notes:
        write(f"{paint('note', 'ask', on=colour)}    {escape(note)}")
    if report.intact and not report.unchecked:
        write(f"{paint('intact', 'good', on=colour)}  every chain is whole")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _print_json(report: Report, folder: Path) -> None:
    found = {
        "folder": str(folder),
        "intact": report.intact,
        "files": report.files,
        "lines": report.lines,
        "unchecked": report.unchecked,
        "breaks": [
            {"where": each.where, "writer": each.writer, "n": each.seq, "why": each.why} for each in report.breaks
        ],
        "notes": report.notes,
        "chains": [
            {
                "writer": chain.writer,
                "first": chain.first,
                "last": chain.last,
                "lines": chain.lines,
                "witnessed": chain.witnessed if chain.witnessed >= 0 else None,
                "intact": chain.broken is None,
            }
            for chain in report.chains
        ],
    }
    click.echo(escape_json(orjson.dumps(found).decode()))
