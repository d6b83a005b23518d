"""Why a file has no score."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_scanner.report import Unscored


class UnreadError(Exception):
    """A file that cannot be scanned: the reason by its name, and in words."""

    def __init__(self, unscored: Unscored, problem: str) -> None:
        super().__init__(problem)
        self.unscored = unscored
        self.problem = problem
