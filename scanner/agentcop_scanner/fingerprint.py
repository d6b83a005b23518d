"""What makes a finding the same one after its file was edited or moved."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_scanner.finding import Finding


def fingerprint(finding: Finding) -> str:
    """16 hex digits over rule, normalised snippet and function: neither line nor path is in it."""
    text = "\0".join((finding.rule, " ".join(finding.snippet.split()), finding.function))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
