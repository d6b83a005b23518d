"""The top of the page: the verdict, the score, the counts, what changed, and what the reader must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats.page.elements import h, table
from agentcop_scanner.formats.words import extent, hidden, plural
from agentcop_scanner.trust.score import CAP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.formats.page.elements import Node
    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import Changes

_VERDICTS = {
    0: ("passed", "Passed", "Every threshold holds."),
    1: ("failed", "Failed", "A threshold was crossed."),
    2: ("undone", "Could not be done", "Not everything could be scanned, so nobody can answer for it."),
}
_MOST_LISTED = 200


def summary(view: View) -> Node:
    """The header of the page."""
    name, title, words = _VERDICTS[view.outcome.code]
    if view.outcome.code == 0 and view.demands.min_score is None and not view.demands.fail_on:
        words = "No threshold was set, so the scan passes whatever it finds."
    return h(
        "header",
        h(
            "div",
            h("h1", "agentcop scan"),
            h(
                "p",
                ", ".join(view.scanned),
                h("br"),
                h("time", view.made.strftime("%Y-%m-%d %H:%M %Z"), datetime=view.made.isoformat()),
                f" · agentcop {view.version}",
                class_="muted",
            ),
            class_="title",
        ),
        h(
            "div",
            _dial(view.report.score),
            h(
                "div",
                h("p", h("strong", title, class_=f"verdict {name}"), " ", words),
                _crossed(view),
                h("p", _whose(view), class_="muted"),
                class_="words",
            ),
            class_="hero",
        ),
        _tiles(view),
    )


def _dial(score: int | None) -> Node:
    """The lowest score as a ring; `not scored` where there is none."""
    shown = "–" if score is None else str(score)  # noqa: RUF001 -- an en dash is what stands for no number
    band = (
        "none" if score is None else "poor" if score <= CAP["CRITICAL"] else "fair" if score <= CAP["HIGH"] else "good"
    )
    return h(
        "svg",
        h("circle", cx=50, cy=50, r=44, class_="track"),
        h("circle", cx=50, cy=50, r=44, pathLength=100, stroke_dasharray=f"{score or 0} 100", class_=f"arc {band}"),
        h("text", shown, x=50, y=54, class_="number"),
        h("text", "of 100", x=50, y=70, class_="of"),
        viewBox="0 0 100 100",
        role="img",
        aria_label=f"Trust score: {'not scored' if score is None else f'{score} of 100'}",
        class_="dial",
    )


def _whose(view: View) -> str:
    lowest = [file.path for file in view.report.files if file.score is not None and file.score == view.report.score]
    if not lowest:
        return "No file has a trust score."
    more = f" and {plural(len(lowest) - 1, 'other file')}" if len(lowest) > 1 else ""
    return f"The trust score is that of the lowest file: {lowest[0]}{more}."


def _crossed(view: View) -> Node | None:
    lines = (*view.outcome.crossed, *view.outcome.unscored)
    return _listed(lines) if lines else None


def _listed(lines: tuple[str, ...]) -> Node:
    more = len(lines) - _MOST_LISTED
    return h(
        "ul",
        (h("li", line) for line in lines[:_MOST_LISTED]),
        h("li", f"and {more:,} more") if more > 0 else None,
    )


def _tiles(view: View) -> Node:
    counts = view.counts
    tiles = [_tile(name, counts[name], f"badge {name.lower()}") for name in SEVERITIES]
    tiles += [_tile(name, counts[name], "state") for name in ("open", "baselined", "suppressed")]
    note = hidden(view)
    total = h("span", plural(counts["findings"], "finding"), data_count="findings")
    return h(
        "div",
        h("dl", tiles, class_="tiles"),
        h("p", f"{extent(view)}; ", total, ".", class_="muted"),
        h("p", note, ".") if note else None,
    )


def _tile(name: str, count: int, style: str) -> Node:
    return h("div", h("dt", h("span", name, class_=style)), h("dd", f"{count:,}", data_count=name))


def changes(view: View) -> Iterator[Node]:
    """What changed since the baseline; nothing without one."""
    what = view.report.changes
    if what is None:
        return
    age = "" if what.oldest_days is None else f" The oldest is {plural(what.oldest_days, 'day')} old."
    yield h(
        "section",
        h("h2", f"Since {what.since}"),
        h(
            "p",
            h("strong", f"{what.new:,} new"),
            f", {what.known:,} baselined, {len(what.gone):,} gone.{age}",
        ),
        _drops(what),
        _gone(what),
        id="changes",
    )


def _drops(what: Changes) -> Node:
    if not what.drops:
        return h("p", "No file's trust score fell.")
    rows = [(drop.path, str(drop.before), str(drop.after), str(drop.before - drop.after)) for drop in what.drops]
    return h(
        "div",
        h("p", f"Files whose trust score fell: {len(rows):,}"),
        table(("file", "was", "is", "fell by"), rows, numbers=(1, 2, 3)),
    )


def _gone(what: Changes) -> Node | None:
    if not what.gone:
        return None
    lines = tuple(f"{rule} in {path}" for rule, path in what.gone)
    return h("details", h("summary", f"{len(lines):,} gone"), _listed(lines))


def remarks(view: View) -> Iterator[Node]:
    """Notes, and what was left out."""
    report = view.report
    if report.notes:
        yield h("section", h("h2", "Notes"), _listed(report.notes), id="notes")
    if report.skipped:
        lines = tuple(f"{path}: {reason}" for path, reason in report.skipped)
        shown = h("details", h("summary", "show"), _listed(lines))
        yield h("section", h("h2", f"Left out: {len(lines):,}"), shown, id="skipped")
