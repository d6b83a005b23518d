"""What an alert says, in the order in which somebody needs it: what, who, with what, why, and where to look."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from agentcop_alerts.links import links_of
from agentcop_core.escape import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_alerts.item import Item
    from agentcop_alerts.links import Link

Look = Literal["words", "code"]
"""`words`: sentences. `code`: to be shown as it stands, in a fixed width."""

_WHAT: Final = {
    "block": "Blocked",
    "would_block": "Would have blocked (mode: observe)",
    "policy_replaced": "Policy replaced",
    "policy_kept": "Broken policy file, the last good policy stays",
    "unenforced_call": "Tool call without a verdict",
    "broken_chain": "Broken gate.log chain",
    "policy_loosened": "Policy loosened",
    "refusal_storm": "Refusal storm",
    "new_tool": "New tool",
    "volume": "Unusual volume",
    "anomaly": "Anomaly",
    "digest": "Daily digest",
    "test": "Test alert",
}
_SAID: Final = {
    "block": "A tool call was refused; the tool did not run.",
    "would_block": "A tool call would have been refused; under mode: observe the tool ran.",
    "policy_replaced": "The policy file was changed; what it says now holds for every further call.",
    "policy_kept": "The policy file was changed, and cannot be taken; every call is judged as before.",
    "unenforced_call": "A tool ran, or may have run, and no gate had judged the call.",
    "broken_chain": "The chain of gate.log went backwards or forked: records may have been changed or removed.",
    "policy_loosened": "The agent runs under less than the policy it should.",
    "refusal_storm": "One run was refused again and again, and went on.",
    "new_tool": "The agent used a tool that it never used before.",
    "volume": "A run went over a fixed ceiling.",
    "anomaly": "The detector found something unusual in a run.",
    "digest": "What went over the day's budget of messages (monitor.max_alerts_per_day), together.",
    "test": "Somebody tries this channel. Nothing happened.",
}
_OF_A_POLICY: Final = frozenset({"policy_replaced", "policy_kept", "digest"})
_TITLE: Final = 140
_NAME: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One labelled paragraph. Its text is plain: the sink escapes it."""

    label: str
    text: str
    look: Look = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A message in plain text, for any sink. Every line of it is printable; none holds a line break of its own."""

    title: str
    """What happened, in one line of at most 140 characters."""
    parts: tuple[Part, ...]
    """In fixed order."""
    links: tuple[Link, ...] = ()
    """Pages to open, in fixed order."""
    run: str = ""
    """The run as JSON, for a file beside the message; "" if there is none."""
    thread: str = ""
    """Messages that share it belong together."""
    first: bool = True
    """Whether it opens its thread."""

    @property
    def trace_url(self) -> str:
        """The page of its trace; "" if there is none."""
        return next((link.url for link in self.links if link.label == "Open trace"), "")

    def plain(self) -> str:
        """All of it as text."""
        lines = [self.title, ""]
        for part in self.parts:
            lines += [f"{part.label}:", *(f"  {line}" for line in part.text.split("\n")), ""]
        for link in self.links:
            lines += [f"{link.label}:", f"  {link.url}", ""]
        return "\n".join(lines)


def worded(item: Item, environ: Mapping[str, str]) -> Worded:
    """The message of `item`; its links filled in from `environ`, or left out if that cannot be done."""
    alert = item.alert
    what = _WHAT[alert.kind]
    subject = f": {shorten(escape(alert.tool), _NAME)}" if alert.tool else ""
    again = f" ({item.count} more)" if item.repeat else ""
    relation = "of" if alert.kind in _OF_A_POLICY else "by"
    title = f"[{alert.severity}] {what}{subject} {relation} {shorten(escape(alert.agent_id), _NAME)}{again}"
    parts = [
        Part(label="What", text="\n".join(_what(item))),
        Part(label="Agent and tool", text="\n".join(_who(item))),
    ]
    if alert.arguments:
        parts.append(Part(label="Arguments", text=escape(alert.arguments), look="code"))
    parts.append(Part(label="Why", text="\n".join(_why(item))))
    if item.timeline:
        parts.append(Part(label="Run", text="\n".join(escape(line) for line in item.timeline), look="code"))
    if commands := _commands(item):
        parts.append(Part(label="Look closer", text="\n".join(commands), look="code"))
    return Worded(
        title=shorten(title, _TITLE),
        parts=tuple(parts),
        links=links_of(item, environ),
        run=item.run,
        thread=item.thread,
        first=not item.repeat,
    )


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is counted: `… +N`."""
    if len(text) <= limit:
        return text
    kept = limit - len(f"… +{len(text)}")
    return f"{text[:kept]}… +{len(text) - kept}"


def _what(item: Item) -> list[str]:
    alert = item.alert
    lines = [f"{_SAID[alert.kind]} Severity {alert.severity}, {_when(alert.time)}."]
    if item.repeat:
        since = f" since {_when(item.since)}" if item.since else ""
        lines.append(f"{item.count} more of this kind{since}; the last is shown.")
    if item.note:
        lines.append(escape(item.note))
    return lines


def _who(item: Item) -> list[str]:
    alert = item.alert
    lines = [f"agent {escape(alert.agent_id)}"]
    if alert.tool:
        lines.append(f"tool {escape(alert.tool)}")
    if alert.environment:
        lines.append(f"environment {escape(alert.environment)}")
    return lines


def _why(item: Item) -> list[str]:
    alert = item.alert
    lines = [escape(alert.reason)] if alert.reason else []
    if alert.rule:
        at = f" [{escape(alert.at)}]" if alert.at else ""
        version = f", policy version {escape(alert.policy_version)}" if alert.policy_version else ""
        lines.append(f"rule {escape(alert.rule)}{at}{version}")
    return [*lines, *(escape(line) for line in alert.evidence)] or ["no reason was given"]


def _commands(item: Item) -> list[str]:
    alert = item.alert
    found = []
    if item.refs and alert.kind != "digest":
        found.append(f"agentcop alerts show {row_of(item.refs[-1])}")
    if alert.session_id and alert.kind != "test":
        found.append(f"agentcop gate log --session {shlex.quote(escape(alert.session_id))}")
    return found


def row_of(ref: str) -> str:
    """The number of a row out of a ref: `17-9f3a` is of row 17."""
    return ref.partition("-")[0]


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
