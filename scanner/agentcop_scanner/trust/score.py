"""The trust score of a file, and the calculation behind it in steps that a reader can redo.

The score is 100 times the product of all `1 - weight * confidence * reach * decay`, a factor for each finding, rounded
to a whole number and cut to the cap. The k-th finding of the same rule in the file, the heaviest first, weighs half of
the one before it. A CRITICAL or HIGH finding of high confidence caps the score, so that nothing buys it off. Lines of
code are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcop_scanner.finding import Confidence, Reach, Severity
    from agentcop_scanner.report import Reported

WEIGHT: Final[dict[Severity, float]] = {"CRITICAL": 0.60, "HIGH": 0.30, "MEDIUM": 0.10, "LOW": 0.03}
CONFIDENCE: Final[dict[Confidence, float]] = {"high": 1.0, "medium": 0.6, "low": 0.3}
REACH: Final[dict[Reach, float]] = {"tool": 1.0, "unknown": 0.6, "test": 0.3}
CAP: Final[dict[Severity, int]] = {"CRITICAL": 39, "HIGH": 69}
"""The most that a file with an open or baselined finding of high confidence can have."""

SUPPRESSED: Final = 0.1
"""What is left of the weight of a finding that a comment suppresses for good; with an end, nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One finding's factor in a score."""

    reported: Reported
    weight: float
    """Of its severity; a tenth of it where it is suppressed, nothing where it is suppressed until a day to come."""
    confidence: float
    reach: float
    decay: float
    """0.5 ** (k - 1) for the k-th of its rule."""
    before: float
    """The score, not rounded, before this finding."""
    after: float
    """And with it; `before * factor`."""

    @property
    def factor(self) -> float:
        """What it multiplies the score with."""
        return 1.0 - self.weight * self.confidence * self.reach * self.decay

    @property
    def points(self) -> float:
        """What it takes off, in points."""
        return self.before - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustScore:
    """A score and how it came about: 100, less the points of each term, less what the cap takes, rounded."""

    value: int
    terms: tuple[Term, ...]
    """In the order of multiplication: by rule, within a rule the heaviest first."""
    product: float
    """What is left of 100 after all terms, not rounded."""
    cap: int | None = None
    """The cap in force: None without one, and shown even where the product is lower."""
    capped_by: Reported | None = None
    """The finding that caps it."""


def trust_score(findings: Iterable[Reported]) -> TrustScore:
    """The score of a file with these findings; 100 without any. The order of `findings` has no effect."""
    # One fixed order of multiplication: floating point is monotone in each step, so that one finding more, which makes
    # every factor of its rule smaller or equal and adds one, can never raise the result by a rounding.
    ranked = sorted(findings, key=lambda one: (one.finding.rule, -_load(one), _tie(one)))
    terms: list[Term] = []
    left = 100.0
    for _, group in groupby(ranked, key=lambda one: one.finding.rule):
        for index, reported in enumerate(group):
            weight, confidence, reach = _parts(reported)
            decay = 0.5**index
            after = left * (1.0 - weight * confidence * reach * decay)
            term = Term(
                reported=reported,
                weight=weight,
                confidence=confidence,
                reach=reach,
                decay=decay,
                before=left,
                after=after,
            )
            terms.append(term)
            left = after
    cap, capped_by = _cap(ranked)
    value = round(left) if cap is None else min(cap, round(left))
    return TrustScore(value=value, terms=tuple(terms), product=left, cap=cap, capped_by=capped_by)


def _parts(reported: Reported) -> tuple[float, float, float]:
    finding = reported.finding
    weight = WEIGHT[finding.severity]
    if reported.status == "suppressed":
        weight = 0.0 if reported.until else weight * SUPPRESSED
    return weight, CONFIDENCE[finding.confidence], REACH[finding.reach]


def _load(reported: Reported) -> float:
    weight, confidence, reach = _parts(reported)
    return weight * confidence * reach


def _tie(reported: Reported) -> tuple[int, int, str]:
    """Makes the shown order of equal findings the file's."""
    return reported.finding.place.line, reported.finding.place.col, reported.fingerprint


def _cap(findings: Iterable[Reported]) -> tuple[int | None, Reported | None]:
    capping = [
        (CAP[one.finding.severity], _tie(one), one)
        for one in findings
        if one.status != "suppressed" and one.finding.confidence == "high" and one.finding.severity in CAP
    ]
    if not capping:
        return None, None
    cap, _, by = min(capping, key=lambda entry: entry[:2])
    return cap, by
