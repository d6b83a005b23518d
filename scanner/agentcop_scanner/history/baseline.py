"""What was known on a day, or in a commit: those findings do not fail a build, and a score that falls does."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from agentcop_scanner.report import Changes, Drop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentcop_scanner.report import FileResult, Report, Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A finding that was there."""

    rule: str
    path: str
    fingerprint: str
    since: str = ""
    """YYYY-MM-DD; "" where the day is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """All that was there. A path may be spelled in any way that leads to the file from the working folder."""

    label: str
    """How it is spoken of: `baseline FILE`, `commit 1a2b3c4d`."""
    known: tuple[Known, ...] = ()
    scores: Mapping[str, int] = field(default_factory=dict)
    """Of each file that had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A report beside what was."""

    report: Report
    """With `baselined` where a finding was known, and `changes` set."""
    elsewhere: Baseline
    """The part of the baseline about files that this scan did not read."""


def compare(report: Report, baseline: Baseline, *, today: date, exists: Callable[[str], bool]) -> Comparison:
    """Tell the new from the known.

    A known finding is met again by path and fingerprint, each as often as it was there; in a file that is not in the
    baseline's place any more (`exists` says no), by fingerprint alone, so that a renamed file brings nothing new.
    """
    read = {_key(file.path) for file in report.files if file.score is not None}
    unread = {_key(file.path) for file in report.files if file.score is None}

    def vanished(path: str) -> bool:
        return _key(path) not in read and _key(path) not in unread and not exists(path)

    left = _Left(baseline.known, vanished)
    pairs = {id(one): left.take(one, file.path) for file in report.files for one in file.findings}
    moved = [one for file in report.files for one in file.findings if pairs[id(one)] is None]
    pairs |= {id(one): left.take_moved(one) for one in moved}

    files = tuple(
        replace(file, findings=tuple(_marked(one, pairs[id(one)], baseline) for one in file.findings))
        for file in report.files
    )
    marked = [one for file in files for one in file.findings]
    over = left.rest()
    gone = [one for one in over if _key(one.path) in read or vanished(one.path)]
    days = [one.since for one in pairs.values() if one is not None and one.since]
    changes = Changes(
        since=baseline.label,
        new=sum(one.status == "open" for one in marked),
        known=sum(one.status == "baselined" for one in marked),
        gone=tuple(sorted((one.rule, one.path) for one in gone)),
        oldest_days=max(0, (today - date.fromisoformat(min(days))).days) if days else None,
        drops=_drops(files, baseline.scores),
    )
    elsewhere = Baseline(
        label=baseline.label,
        known=tuple(one for one in over if _key(one.path) not in read and not vanished(one.path)),
        scores={path: at for path, at in baseline.scores.items() if _key(path) not in read and not vanished(path)},
    )
    return Comparison(report=replace(report, files=files, changes=changes), elsewhere=elsewhere)


def as_baseline(
    report: Report, *, label: str, today: date | None = None, elsewhere: Baseline | None = None
) -> Baseline:
    """What is there now; a finding that was known keeps its day, others get `today`, and `elsewhere` is kept as it is.

    Suppressed findings are not in it: their comment speaks for them.
    """
    known = [
        Known(
            rule=one.finding.rule,
            path=file.path,
            fingerprint=one.fingerprint,
            since=one.reason if one.status == "baselined" else (today.isoformat() if today else ""),
        )
        for file in report.files
        for one in file.findings
        if one.status != "suppressed"
    ]
    scores = {file.path: file.score for file in report.files if file.score is not None}
    if elsewhere is not None:
        known += elsewhere.known
        scores = {**elsewhere.scores, **scores}
    return Baseline(label=label, known=tuple(known), scores=scores)


def _key(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 -- links stay what they are, thousands of times over


class _Left:
    """The known findings that nothing was matched with yet."""

    def __init__(self, known: Iterable[Known], moved: Callable[[str], bool]) -> None:
        self._at: dict[tuple[str, str], list[Known]] = defaultdict(list)
        for one in sorted(known, key=lambda one: one.since, reverse=True):  # the oldest is taken first
            self._at[_key(one.path), one.fingerprint].append(one)
        self._moved = moved
        self._homeless: dict[str, list[Known]] | None = None

    def take(self, reported: Reported, path: str) -> Known | None:
        here = self._at.get((_key(path), reported.fingerprint))
        return here.pop() if here else None

    def take_moved(self, reported: Reported) -> Known | None:
        if self._homeless is None:
            self._homeless = defaultdict(list)
            for (path, mark), entries in self._at.items():
                if entries and self._moved(path):
                    self._homeless[mark] += entries
        found = self._homeless.get(reported.fingerprint)
        if not found:
            return None
        one = found.pop()
        self._at[_key(one.path), one.fingerprint].remove(one)
        return one

    def rest(self) -> list[Known]:
        return [one for entries in self._at.values() for one in entries]


def _marked(reported: Reported, known: Known | None, baseline: Baseline) -> Reported:
    if known is None or reported.status != "open":
        return reported
    return replace(reported, status="baselined", reason=known.since or baseline.label)


def _drops(files: Iterable[FileResult], scores: Mapping[str, int]) -> tuple[Drop, ...]:
    was = {_key(path): score for path, score in scores.items()}
    drops = [
        Drop(path=file.path, before=was[_key(file.path)], after=file.score)
        for file in files
        if file.score is not None and file.score < was.get(_key(file.path), 0)
    ]
    return tuple(sorted(drops, key=lambda one: (one.after - one.before, one.path)))
