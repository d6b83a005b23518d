"""The totals for a machine, the table for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.escape.outcomes import Verdict


def totals(found: Mapping[str, Sequence[Verdict]]) -> dict[str, object]:
    """By engine and of all together; an engine's `escaped` are those that are not `documented`."""
    return {
        "contained": sum(each.contained for verdicts in found.values() for each in verdicts),
        "probes": sum(map(len, found.values())),
        **{name: _of(verdicts) for name, verdicts in found.items()},
    }


def _of(verdicts: Sequence[Verdict]) -> dict[str, object]:
    return {
        "contained": sum(each.contained for each in verdicts),
        "probes": len(verdicts),
        "escaped": [each.probe for each in verdicts if each.escapes and not each.documented],
        "documented": [each.probe for each in verdicts if each.escapes and each.documented],
        "broken": {each.probe: each.broken for each in verdicts if each.broken},
        "evidence": {each.probe: list(each.escapes) for each in verdicts if each.escapes},
        "refused": {each.probe: list(each.refused) for each in verdicts},
    }


def table(found: Mapping[str, Sequence[Verdict]]) -> str:
    """A row a probe, a column a place; then what got out and why."""
    names = list(found)
    rows = [["probe", *names, "what is tried"]]
    by_probe: dict[str, dict[str, Verdict]] = {}
    for name, verdicts in found.items():
        for each in verdicts:
            by_probe.setdefault(each.probe, {})[name] = each
    for probe, cells in by_probe.items():
        claim = next(iter(cells.values())).claim
        rows.append([probe, *(_cell(cells.get(name)) for name in names), claim])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *_remarks(found), *_closing(found), ""])


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    if verdict.broken:
        return "broken"
    if verdict.escapes:
        return "documented" if verdict.documented else "ESCAPED"
    return "contained"


def _remarks(found: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    for name, verdicts in found.items():
        for each in verdicts:
            if each.broken:
                yield f"{name}, {each.probe}: proves nothing: {each.broken}"
            for escape in each.escapes[:3]:
                yield f"{name}, {each.probe}: {escape}" + (
                    f" (documented: {each.documented})" if each.documented else ""
                )


def _closing(found: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    yield ""
    for name, verdicts in found.items():
        documented = sum(bool(each.escapes and each.documented) for each in verdicts)
        contained = sum(each.contained for each in verdicts)
        yield f"{name}: {contained} of {len(verdicts)} contained" + (f", {documented} documented" if documented else "")
