"""`agentcop alerts`: what was sent, what waits, what failed; and whether the channels work."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from agentcop.cli._output import colours, escape, escape_json, paint, say
from agentcop.cli._test_alert import send_test_alert
from agentcop_core.errors import PolicyError
from agentcop_core.home import state_folder

if TYPE_CHECKING:
    from agentcop.cli._output import Tone
    from agentcop_alerts.item import Item, State

_format = click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to print.",
    show_default=True,
)
_TONES: dict[State, Tone] = {"pending": "ask", "sent": "good", "failed": "bad"}


@click.group()
def alerts() -> None:
    """Show what became of alerts, and try the channels."""


@alerts.command(name="list", short_help="Print what was sent, what waits and what failed.")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state folder that holds the alerts. [default: $AGENTCOP_HOME, else the user's]",
)
@click.option("--state", type=click.Choice(["pending", "sent", "failed"]), help="Only alerts in this state.")
@_format
def list_(*, home: Path | None, state: State | None, form: str) -> None:
    """Print alerts, oldest first: the last 200 that were sent, the last 200 that failed, and all that wait.

    One line is one message to one channel. A message that waits says why its last attempt failed, and when the next
    one is due, in an armed process with the same channel.
    """
    from agentcop_alerts.outbox import Outbox

    folder = state_folder() if home is None else home.absolute()
    if not folder.is_dir():
        raise OSError(f"there is no state folder {folder}: nothing was armed there yet, or --home is another")
    outbox = Outbox(folder / "alerts")
    states: tuple[State, ...] = (state,) if state else ("sent", "failed", "pending")
    found = [(each, item) for each in states for item in outbox.items(each)]
    found.sort(key=lambda pair: (pair[1].created, pair[1].id))
    if form == "json":
        listed = [_listed(each, item) for each, item in found]
        _write(escape_json(orjson.dumps({"alerts": listed, "lost": outbox.lost}).decode()))
        return
    colour = colours(sys.stdout)
    for each, item in found:
        due = _due(item) if each == "pending" else ""
        _write(f"{paint(f'{each:8}', _TONES[each], on=colour)}{_line(item)}{due}")
    if not found:
        say("no alerts")
    if outbox.lost:
        say(f"{outbox.lost:,} alerts were lost: too many were waiting")


@alerts.command(short_help="Send a test alert through every channel of a policy.")
@click.option(
    "--policy",
    "policy_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The policy file whose channels are tried.",
)
@_format
def test(*, policy_file: Path, form: str) -> None:
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
    if form == "json":
        shown = [{"channel": target.name, "sent": not reason, "reason": reason} for target, reason in said]
        _write(escape_json(orjson.dumps({"channels": shown}).decode()))
    else:
        colour = colours(sys.stdout)
        for target, reason in said:
            word = paint("failed  ", "bad", on=colour) if reason else paint("sent    ", "good", on=colour)
            _write(f"{word}{target.name}{f': {escape(reason)}' if reason else ''}")
    if any(reason for _, reason in said):
        sys.exit(1)


def _due(item: Item) -> str:
    return f"  due {_clock(item.not_before)}" if item.not_before else ""


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def _line(item: Item) -> str:
    alert = item.alert
    when = _clock(item.created)
    count = f"  {item.count} more" if item.repeat else ""
    why = f"  {item.reason}" if item.reason else ""
    tries = f" ({item.attempts} attempts)" if item.reason and item.attempts > 1 else ""
    text = f"{when}  {alert.severity:8}  {alert.kind}  {alert.agent_id}  {alert.tool}  {alert.rule}{count}"
    return escape(f"{text}  → {item.channel_name}{why}{tries}")


def _listed(state: State, item: Item) -> dict[str, object]:
    alert = item.alert
    return {
        "state": state,
        "id": item.id,
        "time": alert.time,
        "severity": alert.severity,
        "kind": alert.kind,
        "agent_id": alert.agent_id,
        "tool": alert.tool,
        "rule": alert.rule,
        "at": alert.at,
        "why": alert.reason,
        "session_id": alert.session_id,
        "trace_id": alert.trace_id,
        "fingerprint": item.thread,
        "count": item.count,
        "repeat": item.repeat,
        "channel": item.channel_name,
        "attempts": item.attempts,
        "reason": item.reason,
        "created": item.created,
        "not_before": item.not_before,
        "settled": item.settled,
    }


def _write(line: str) -> None:
    click.echo(line)
