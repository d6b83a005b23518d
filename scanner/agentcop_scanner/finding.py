"""A weakness at a place, and how sure the scanner is of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW"]
"""Worst first."""

Confidence = Literal["high", "medium", "low"]
"""`high`: untrusted data arrives unsanitised. `medium`: a sink inside a tool, source unknown. `low`: a bare sink."""

Reach = Literal["tool", "unknown", "test"]
"""`tool`: from a tool or an endpoint. `test`: only from tests or `__main__`. `unknown`: neither was shown."""

SEVERITIES: tuple[Severity, ...] = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A range of source text. Lines count from 1, columns from 1 in characters; the end is inclusive of its line."""

    line: int
    col: int = 1
    end_line: int = 0
    """0: the same line."""
    end_col: int = 0
    """0: the end of that line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One station of untrusted data on its way from its source to the sink."""

    path: str
    place: Place
    what: str
    """What happens there, in a few words: `parameter "name" of the tool save`, `joined to self.root`, `open(…)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A weakness at file, line and column."""

    rule: str
    """`AC121`."""
    severity: Severity
    path: str
    """As the scan was told it: relative stays relative, with forward slashes."""
    place: Place
    message: str
    """One sentence for a person; quotes no secret."""
    confidence: Confidence = "medium"
    reach: Reach = "unknown"
    function: str = ""
    """Qualified name of the function around it inside its file, `Class.method`; "" at module level."""
    snippet: str = ""
    """The source text at the place, shortened, secrets masked."""
    trace: tuple[Step, ...] = ()
    """From source to sink; empty for rules that follow no data."""
    fix: str = ""
    """What to write instead, in one sentence; "" if the rule's own advice is all there is."""
