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
class Report:
    """A whole scan. Files and findings are in a fixed order: by path, then by place, then by rule."""

    files: tuple[FileResult, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Paths that were left out, each with the reason: links out of the tree, devices, limits."""
    notes: tuple[str, ...] = ()
    """What the reader must know: caps reached, suppressions unused."""

    @property
    def score(self) -> int | None:
        """The lowest file's score; None if no file has one."""
        scores = [file.score for file in self.files if file.score is not None]
        return min(scores) if scores else None
