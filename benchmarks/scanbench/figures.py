"""What a tool's findings are worth on a corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanbench.corpus import Corpus, Label

_NEAR = 1
"""Lines that a finding may be away from a label."""
_LONGEST = 10
"""Lines that a finding may span; a longer one counts at its first line."""
_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


class Found(NamedTuple):
    """One finding of a tool, of MEDIUM and up."""

    rule: str
    path: str
    """Below the tree."""
    first: int
    last: int

    def meets(self, line: int) -> bool:
        """Whether it is at a line."""
        last = self.last if self.last - self.first <= _LONGEST else self.first
        return self.first - _NEAR <= line <= last + _NEAR


Share = tuple[int, int]
"""How many of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one tool."""

    recall: Share
    critical: Share
    pairs: Share
    flagged_pairs: int
    clean: float
    """Findings per 1,000 lines of clean code."""
    fixed: float
    """Findings per 1,000 lines of the fixed versions of vulnerable files."""
    command: float
    """1,000 lines a second over all three trees: one process, its start included."""
    cold: float
    """The same without its start, where that is known."""
    warm: float | None
    """The same when nothing has changed since the last scan; None for a tool that remembers nothing."""
    processor: tuple[float, float] | None = None
    """Cold and warm by the processor's seconds; None where unknown."""
    by_severity: dict[str, Share] = field(default_factory=dict)
    by_class: dict[str, Share] = field(default_factory=dict)
    misses: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The figures by their names."""
        return {
            "recall": _part(self.recall),
            "recall_critical": _part(self.critical),
            "pairs": _part(self.pairs),
            "clean_per_kloc": round(self.clean, 3),
            "fixed_per_kloc": round(self.fixed, 3),
            "kloc_s_command": round(self.command, 1),
            "kloc_s_cold": round(self.cold, 1),
            "kloc_s_warm": None if self.warm is None else round(self.warm, 1),
            "kloc_processor_s_cold": None if self.processor is None else round(self.processor[0], 1),
            "kloc_processor_s_warm": None if self.processor is None else round(self.processor[1], 1),
            "by_severity": {name: list(share) for name, share in self.by_severity.items()},
            "by_class": {name: list(share) for name, share in self.by_class.items()},
        }

    @staticmethod
    def rows(columns: Sequence[Figures]) -> list[tuple[str, list[str]]]:
        """The rows of a table of several tools."""
        return [
            ("recall", [_share(one.recall) for one in columns]),
            *_group("recall", [one.by_severity for one in columns]),
            *_group("recall", [one.by_class for one in columns]),
            ("pairs flagged", [str(one.flagged_pairs) for one in columns]),
            ("pairs told apart", [_share(one.pairs) for one in columns]),
            ("clean findings/KLOC", [f"{one.clean:.2f}" for one in columns]),
            ("fixed findings/KLOC", [f"{one.fixed:.2f}" for one in columns]),
            ("KLOC/s, with its start", [f"{one.command:.1f}" for one in columns]),
            ("KLOC/s cold", [f"{one.cold:.1f}" for one in columns]),
            ("KLOC/s warm", ["-" if one.warm is None else f"{one.warm:.0f}" for one in columns]),
            (
                "KLOC/processor s, cold",
                ["-" if one.processor is None else f"{one.processor[0]:.1f}" for one in columns],
            ),
            (
                "KLOC/processor s, warm",
                ["-" if one.processor is None else f"{one.processor[1]:.0f}" for one in columns],
            ),
        ]


def _part(share: Share) -> float:
    return round(share[0] / share[1], 4) if share[1] else 0.0


def _share(share: Share) -> str:
    return f"{share[0]}/{share[1]}"


def _group(title: str, columns: Sequence[Mapping[str, Share]]) -> list[tuple[str, list[str]]]:
    names = list(dict.fromkeys(name for column in columns for name in column))
    return [(f"  {title} {name}", [_share(column.get(name, (0, 0))) for column in columns]) for name in names]


def figures(
    corpus: Corpus, found: Mapping[str, Sequence[Found]], seconds: float, timed: Mapping[str, float]
) -> Figures:
    """The figures of a tool that found this in the three trees, in so many seconds; `timed`: without its start."""
    weak: dict[str, list[Found]] = {}
    mended: dict[str, list[Found]] = {}
    for table, tree in ((weak, "vulnerable"), (mended, "fixed")):
        for one in found[tree]:
            table.setdefault(one.path, []).append(one)
    hit: dict[Label, set[str]] = {
        label: {one.rule for one in weak.get(label.path, ()) if one.meets(label.line)} for label in corpus.labels
    }
    flagged, apart, misses = _pairs(corpus, hit, mended)
    kloc = {tree: corpus.kloc(tree) for tree in found}
    whole = sum(kloc.values())
    pairs = {label.id for label in corpus.labels if label.has_fix}
    return Figures(
        recall=_counted(hit, lambda _: True),
        critical=_counted(hit, lambda label: label.severity == "CRITICAL"),
        pairs=(len(apart), len(pairs)),
        flagged_pairs=len(flagged),
        clean=len(found["clean"]) / kloc["clean"],
        fixed=len(found["fixed"]) / kloc["fixed"],
        command=whole / seconds,
        cold=whole / timed.get("cold", seconds),
        warm=whole / timed["warm"] if "warm" in timed else None,
        processor=(whole / timed["cold_processor"], whole / timed["warm_processor"]) if timed else None,
        by_severity={name: share for name in _SEVERITIES if (share := _counted(hit, _is("severity", name)))[1]},
        by_class={
            name: _counted(hit, _is("kind", name))
            for name, _ in Counter(label.kind for label in corpus.labels).most_common()
        },
        misses=(
            *(f"missed {label.path}:{label.line} {label.kind} {label.severity}" for label in hit if not hit[label]),
            *misses,
        ),
    )


def _is(name: str, value: str) -> _Chooses:
    return lambda label: getattr(label, name) == value


def _counted(hit: Mapping[Label, set[str]], chosen: _Chooses) -> Share:
    labels = [label for label in hit if chosen(label)]
    return sum(bool(hit[label]) for label in labels), len(labels)


def _pairs(
    corpus: Corpus, hit: Mapping[Label, set[str]], mended: Mapping[str, list[Found]]
) -> tuple[set[str], set[str], list[str]]:
    """Ids of the pairs that were flagged, of those told apart, and what fires on in the fixed file of the others."""
    flagged = {label.id for label in hit if label.has_fix and hit[label]}
    still: dict[str, str] = {}
    for label, rules in hit.items():
        if not label.has_fix or not rules:
            continue
        function = corpus.function_at("vulnerable", label.path, label.line)
        for one in mended.get(label.path, ()):
            if one.rule in rules and _same_place(corpus, label, function, one):
                still[label.id] = f"not told apart {label.id}: {one.rule} at {one.first}"
    return flagged, flagged - still.keys(), list(still.values())


def _same_place(corpus: Corpus, label: Label, function: str, one: Found) -> bool:
    if not function:
        return not corpus.function_at("fixed", label.path, one.first)
    return any(first <= one.first <= last for first, last in corpus.lines_of("fixed", label.path, function))


if TYPE_CHECKING:
    from collections.abc import Callable

    _Chooses = Callable[[Label], bool]
