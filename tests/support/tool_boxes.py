"""Boxes for a framework's tools that answer from a list: what happens around a body that runs elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agentcop._seams import tool_calls

if TYPE_CHECKING:
    Arguments = tuple[tuple[Any, ...], dict[str, Any]]


RAN: list[str] = []
"""What the tools' own bodies note, where they run in this process."""
BOXED: list[Any] = []
"""The arguments of each call that went into a box."""
ANSWERS: list[Any] = []
"""What boxes give or raise, the last first."""


@pytest.fixture(autouse=True)
def boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tools of a test run in boxes."""
    for each in (RAN, BOXED, ANSWERS):
        each.clear()
    boxed_by(monkeypatch, BOXED, ANSWERS)


def boxed_by(monkeypatch: pytest.MonkeyPatch, boxed: list[Arguments], answers: list[Any]) -> None:
    """Every call of a tool goes into a box: its arguments onto `boxed`; it gives or raises the last of `answers`."""
    enter: Any = tool_calls._entered  # noqa: SLF001 -- where the seam hands on

    def entered(*call: Any) -> Any:
        target, made, parsed, passage = call[:4]
        step, args, kwargs = enter(*call)

        def run_boxed() -> Any:
            boxed.append(parsed.boxed(passage.call.arguments.values))
            answer = answers.pop()
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def run_boxed_async() -> Any:
            await asyncio.sleep(0)
            return run_boxed()

        return step, (target.stand_in(made, run_boxed, run_boxed_async), *args[1:]), kwargs

    monkeypatch.setattr(tool_calls, "_entered", entered)
