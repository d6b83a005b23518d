"""GitHub's workflow commands: each open finding as an annotation on its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from agentcop_core.escape import escape
from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats.words import counted, extent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentcop_scanner.finding import Severity
    from agentcop_scanner.formats.view import View

Level = Literal["error", "warning", "notice"]

_LEVELS: Final[dict[Severity, Level]] = {"CRITICAL": "error", "HIGH": "error", "MEDIUM": "warning", "LOW": "notice"}
_SHOWN_A_STEP: Final = 10


def render(view: View) -> Iterator[str]:
    """The worst first: GitHub shows ten of each level for a step, and a last line says so where there are more."""
    for file in view.unscored:
        yield command("error", f"not scored: {file.problem}", {"file": file.path, "title": "agentcop scan"})
    shown = [one.finding for one in view.findings if one.status == "open"]
    levels = dict.fromkeys(_LEVELS.values(), 0)
    for finding in sorted(shown, key=lambda one: SEVERITIES.index(one.severity)):
        level = _LEVELS[finding.severity]
        levels[level] += 1
        rule = view.rules.get(finding.rule)
        place = finding.place
        where: dict[str, object] = {
            "file": finding.path,
            "line": place.line,
            "endLine": place.end_line or place.line,
            "col": place.col,
            "title": f"{finding.severity} {finding.rule}{f' {rule.slug}' if rule else ''}",
        }
        fix = f" Fix: {finding.fix}" if finding.fix else ""
        yield command(level, finding.message + fix, where)
    for line in view.outcome.crossed:
        yield command("error", line, {"title": "agentcop scan"})
    over = sum(max(0, count - _SHOWN_A_STEP) for count in levels.values())
    more = f"; GitHub shows ten of a level for a step, {over:,} more in the log" if over else ""
    yield command("notice", f"{extent(view)}; {counted(view)}{more}", {"title": "agentcop scan"})


def command(level: Level, message: str, properties: Mapping[str, object]) -> str:
    """One workflow command; what a path or message holds cannot end it or begin another."""
    pairs = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {pairs}::{_data(message)}\n"


def _data(text: str) -> str:
    return escape(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
