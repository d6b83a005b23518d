"""What an alert says, in the order in which somebody needs it: what, who, with what, why, and where to look."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from agentcop_core.escape import escape
from agentcop_policies.secrets import SecretUnset, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_alerts.item import Item

Look = Literal["words", "code"]
"""`words`: sentences. `code`: to be shown as it stands, in a fixed width."""

_WHAT: Final = {
    "block": "Blocked",
    "would_block": "Would have blocked (mode: observe)",
    "policy_replaced": "Policy replaced",
    "policy_kept": "Broken policy file, the last good policy stays",
    "test": "Test alert",
}
_OF_A_POLICY: Final = frozenset({"policy_replaced", "policy_kept"})
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
    trace_url: str = ""
    """The page of its trace; "" if there is none."""

    def plain(self) -> str:
        """All of it as text."""
        lines = [self.title, ""]
        for part in self.parts:
            lines += [f"{part.label}:", *(f"  {line}" for line in part.text.split("\n")), ""]
        if self.trace_url:
            lines += ["Open trace:", f"  {self.trace_url}", ""]
        return "\n".join(lines)


def worded(item: Item, environ: Mapping[str, str]) -> Worded:
    """The message of `item`; its trace link filled in from `environ`, or left out if that cannot be done."""
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
    if alert.session_id and alert.kind != "test":
        command = f"agentcop gate log --session {shlex.quote(escape(alert.session_id))}"
        parts.append(Part(label="Look closer", text=command, look="code"))
    return Worded(title=shorten(title, _TITLE), parts=tuple(parts), trace_url=trace_url(item, environ))


def trace_url(item: Item, environ: Mapping[str, str]) -> str:
    """The page of the item's trace; "" without a trace, a link in the policy, or a variable that the link needs."""
    if not item.trace_link or not item.alert.trace_id:
        return ""
    try:
        url = resolve(item.trace_link, environ).replace("{trace_id}", item.alert.trace_id)
    except SecretUnset:
        return ""
    return url if url.startswith(("https://", "http://")) and url.isprintable() and " " not in url else ""


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is counted: `… +N`."""
    if len(text) <= limit:
        return text
    kept = limit - len(f"… +{len(text)}")
    return f"{text[:kept]}… +{len(text) - kept}"


def _what(item: Item) -> list[str]:
    alert = item.alert
    said = {
        "block": "A tool call was refused; the tool did not run.",
        "would_block": "A tool call would have been refused; under mode: observe the tool ran.",
        "policy_replaced": "The policy file was changed; what it says now holds for every further call.",
        "policy_kept": "The policy file was changed, and cannot be taken; every call is judged as before.",
        "test": "Somebody tries this channel. Nothing happened.",
    }[alert.kind]
    lines = [f"{said} Severity {alert.severity}, {_when(alert.time)}."]
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


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
