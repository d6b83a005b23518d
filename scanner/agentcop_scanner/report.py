"""What a scan found: every file with its score, and every finding with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agentcop_scanner.finding import Finding

Status = Literal["open", "baselined", "suppressed"]
"""`open`: counts for every threshold. `baselined`: known since the baseline. `suppressed`: a comment says why not."""

Unscored = Literal["unreadable", "unparsable", "newer_python", "too_large", "failed"]
"""Why a file has no score: it could not be read; is no Python; needs a newer Python; is over the limits; our fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A finding and what became of it."""

    finding: Finding
    fingerprint: str
    """16 hex digits over rule, normalised snippet and function: no line number in it."""
    status: Status = "open"
    reason: str = ""
    """Of a suppression: the words; of a baselined one: since when."""
    until: str = ""
    """The day, YYYY-MM-DD, after which a suppression ends; "" for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """One scanned file."""

    path: str
    score: int | None
    """Trust, 0 to 100; None: not scored."""
    unscored: Unscored | None = None
    problem: str = ""
    """What went wrong, for a file without a score."""
    findings: tuple[Reported, ...] = ()
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A file whose score is lower than it was."""

    path: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What became of things since a baseline, or since a commit."""

    since: str
    """`baseline agentcop-baseline.json`, `commit 1a2b3c4d (main)`."""
    new: int
    """Open findings that were not there."""
    known: int
    """Findings that were, and still are."""
    gone: tuple[tuple[str, str], ...] = ()
    """Rule and path of each that was, and is no more."""
    oldest_days: int | None = None
    """Age of the oldest that is still there; None where its day is not known."""
    drops: tuple[Drop, ...] = ()
    """Files that are worse, the deepest fall first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole scan. Files and findings are in a fixed order: by path, then by place, then by rule."""

    files: tuple[FileResult, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Paths that were left out, each with the reason: links out of the tree, devices, limits."""
    notes: tuple[str, ...] = ()
    """What the reader must know: caps reached, suppressions unused."""
    changes: Changes | None = None
    """Against what it was compared with; None if with nothing."""

    @property
    def score(self) -> int | None:
        """The lowest file's score; None if no file has one."""
        scores = [file.score for file in self.files if file.score is not None]
        return min(scores) if scores else None
