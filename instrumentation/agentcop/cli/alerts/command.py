"""`agentcop alerts`: what was found, what was sent, what waits, what failed; and whether the channels work."""

from __future__ import annotations

import getpass
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import orjson

from agentcop.cli._output import colours, escape, escape_json, form_option, paint, say
from agentcop.cli.alerts.trial import send_test_alert
from agentcop_core.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agentcop.cli.alerts.found import Places
    from agentcop_alerts.item import State
    from agentcop_detectors.store.reader import StoredAlert

_STATES: Final[dict[State, frozenset[str]]] = {
    "pending": frozenset({"pending", "spooled", "digest"}),
    "sent": frozenset({"sent", "rolled_up"}),
    "failed": frozenset({"failed", "nobody"}),
}
"""State of a message → what the database says of alerts that are in a like one."""


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where to look."""
    home = click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        help="The state folder that holds the alerts. [default: $AGENTCOP_HOME, else the user's]",
    )
    database = click.option(
        "--database",
        metavar="URL",
        help="The detector's database. [default: $AGENTCOP_DATABASE_URL, else the one in the state folder, if any]",
    )
    return home(database(command))


def _format(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how to print."""
    return form_option(click.option("--json", "as_json", is_flag=True, help="The same as --format json.")(command))


@click.group()
def alerts() -> None:
    """Show what was found and what became of it, take alerts on, and try the channels."""


@alerts.command(name="list", short_help="Print what was found, what was sent, what waits and what failed.")
@_where
@click.option("--state", type=click.Choice(["pending", "sent", "failed"]), help="Only alerts in this state.")
@click.option("--open", "only_open", is_flag=True, help="Only alerts that nobody acknowledged.")
@_format
def list_(  # noqa: PLR0913 -- one parameter an option
    *, home: Path | None, database: str | None, state: State | None, only_open: bool, form: str, as_json: bool
) -> None:
    """Print alerts, oldest first, each with the id that show and ack take.

    Those with a number are the detector's: the last 1,000. The others are messages of the agents' own processes, one
    for each channel: the last 200 that were sent, the last 200 that failed, and all that wait, each with why its last
    attempt failed and when the next one is due.
    """
    from agentcop.cli.alerts.found import places
    from agentcop.cli.alerts.text import message_json, message_lines, row_json, row_lines

    with places(home, database) as found:
        rows = [row for row in found.rows(only_open=only_open) if state is None or row.told in _STATES[state]]
        states: tuple[State, ...] = (state,) if state else ("sent", "failed", "pending")
        messages = [
            each
            for each in found.messages(*states)
            if (found.reader is None or not each.item.refs) and not (only_open and each.item.acknowledged)
        ]
        if as_json or form == "json":
            listed = {"alerts": [message_json(each) for each in messages], "lost": found.outbox.lost}
            _write_json(listed | {"found": [row_json(row) for row in rows]})
            return
        colour = colours(sys.stdout)
        blocks = [(row.raised, row_lines(row, colour=colour)) for row in rows]
        blocks += [(each.item.created, message_lines(each, colour=colour)) for each in messages]
        for _, lines in sorted(blocks, key=lambda block: block[0]):
            for each in lines:
                click.echo(each)
        if not blocks:
            say("no alerts")
        if found.outbox.lost:
            say(f"{found.outbox.lost:,} alerts were lost: too many were waiting")


@alerts.command(short_help="Print all about one alert.")
@click.argument("alert_id", metavar="ID")
@_where
@_format
def show(*, alert_id: str, home: Path | None, database: str | None, form: str, as_json: bool) -> None:
    """Print all about one alert: what, who, why, the run step by step, and what became of it."""
    from agentcop.cli.alerts.found import places
    from agentcop.cli.alerts.text import message_json, message_lines
    from agentcop_alerts.wording import worded

    with places(home, database) as found:
        if _is_number(alert_id) and found.reader is not None:
            _show_row(found, found.row(int(alert_id)), as_json=as_json or form == "json")
            return
        message = found.message(alert_id)
        if as_json or form == "json":
            evidence = {"arguments": message.item.alert.arguments, "evidence": message.item.alert.evidence}
            _write_json(message_json(message) | evidence | {"timeline": message.item.timeline})
            return
        for each in message_lines(message, colour=colours(sys.stdout)):
            click.echo(each)
        click.echo("")
        for each in worded(message.item, os.environ).plain().rstrip("\n").split("\n"):
            click.echo(escape(each))


@alerts.command(short_help="Say that you take alerts on.")
@click.argument("alert_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--by", metavar="NAME", help="Who takes them on. [default: the user who runs this]")
@_where
@_format
def ack(  # noqa: PLR0913 -- one parameter an option
    *, alert_ids: tuple[str, ...], by: str | None, home: Path | None, database: str | None, form: str, as_json: bool
) -> None:
    """Write down that somebody takes alerts on, and who. Exits 1 if one of them was taken on before."""
    from agentcop.cli.alerts.found import places
    from agentcop.cli.alerts.text import clock, line

    who = by or _user()
    now = time.time()
    with places(home, database) as found:
        said = [(alert_id, *_acknowledged(found, alert_id, who, now)) for alert_id in alert_ids]
    if as_json or form == "json":
        keys = ("id", "acknowledged_by", "acknowledged", "new")
        _write_json({"alerts": [dict(zip(keys, each, strict=True)) for each in said]})
    else:
        for alert_id, name, when, new in said:
            word = "acknowledged" if new else "was acknowledged before"
            click.echo(f"{escape(alert_id)} {word} by {line(name) or 'somebody'}, {clock(when)}")
    if not all(new for *_, new in said):
        sys.exit(1)


@alerts.command(short_help="Send a test alert through every channel of a policy.")
@click.option(
    "--policy",
    "policy_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The policy file whose channels are tried.",
)
@_format
def test(*, policy_file: Path, form: str, as_json: bool) -> None:
    """Send a marked test alert through every channel of a policy, once, whatever its min_severity.

    Secrets come from this environment, as they do for an agent. Exits 1 if a channel did not take the alert.
    """
    from agentcop_alerts.channels import route_of
    from agentcop_policies import load_policy

    policy = load_policy(policy_file)
    route = route_of(policy.document.monitor)
    if not route.targets:
        raise PolicyError([f"{policy_file}: monitor.alert_channels names no channel: nobody hears of a block"])
    said = [
        (target, send_test_alert(target, route, policy.agent_id, policy.document.environment))
        for target in route.targets
    ]
    if as_json or form == "json":
        _write_json({"channels": [{"channel": each.name, "sent": not why, "reason": why} for each, why in said]})
    else:
        colour = colours(sys.stdout)
        for target, reason in said:
            word = paint("failed  ", "bad", on=colour) if reason else paint("sent    ", "good", on=colour)
            click.echo(f"{word}{target.name}{f': {escape(reason)}' if reason else ''}")
    if any(reason for _, reason in said):
        sys.exit(1)


def _show_row(found: Places, row: StoredAlert, *, as_json: bool) -> None:
    from agentcop.cli.alerts.text import line, message_json, message_lines, row_json, row_lines
    from agentcop_detectors.telling.timeline import timeline

    messages = found.of_row(row)
    try:
        run = timeline(found.steps(row.trace_id), bytes.fromhex(row.span_id))
    except OSError as error:
        say(f"the run's spans cannot be read: {error.strerror or error}")
        run = ()
    if as_json:
        _write_json(row_json(row) | {"timeline": run, "messages": [message_json(each) for each in messages]})
        return
    colour = colours(sys.stdout)
    blocks = [
        row_lines(row, colour=colour),
        [f"evidence  {line(each, 1_000)}" for each in row.evidence],
        ["run", *(escape(each) for each in run)] if run else [],
        [f"trace     {row.trace_id}"] if row.trace_id else [],
        *(message_lines(each, colour=colour) for each in messages),
    ]
    for block in blocks:
        for each in block:
            click.echo(each)


def _acknowledged(found: Places, alert_id: str, who: str, now: float) -> tuple[str, float, bool]:
    """By whom it is acknowledged now, since when, and whether that is new. Raises NotFound."""
    if _is_number(alert_id) and found.reader is not None:
        number = int(alert_id)
        found.row(number)
        new = found.reader.acknowledge(number, who, now)
        row = found.row(number)
        return row.acknowledged_by, row.acknowledged, new
    from agentcop.cli.alerts.found import NotFound

    message = found.message(alert_id)
    item = found.outbox.acknowledge(message.item.id, who, now)
    if item is None:
        raise NotFound(f"{alert_id} still waits to be sent: it can be acknowledged once it was")
    return item.acknowledged_by, item.acknowledged, item.acknowledged == now and not message.item.acknowledged


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < len(str(2**31))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _write_json(value: object) -> None:
    click.echo(escape_json(orjson.dumps(value).decode()))
