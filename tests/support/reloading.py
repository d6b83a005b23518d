"""A policy file that a test rewrites, and clocks that it sets."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop import AgentCop
    from agentcop_processor.reload.policy_file import PolicyFile


def file_of(cop: AgentCop) -> PolicyFile:
    """The policy file behind a cop, which its user never sees."""
    file = cop._gate._policy_file  # noqa: SLF001 -- the processor is tested below its face
    assert file is not None
    return file


def rewrite(path: Path, text: str, *, age: float = 3_600.0) -> None:
    """Write `text` in one go, with times that lie `age` seconds back for whoever can see that."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    os.utime(fresh, (time.time() - age, time.time() - age))
    fresh.replace(path)


class Clocks:
    """The time of day and the time that only grows, under a test's hand."""

    def __init__(self) -> None:
        self.day = time.time()
        self.grown = 1_000.0

    def now(self) -> float:
        return self.day

    def monotonic(self) -> float:
        return self.grown

    def pass_(self, seconds: float) -> None:
        self.day += seconds
        self.grown += seconds
