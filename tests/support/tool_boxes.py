"""Boxes for a framework's tools that answer from a list: what happens around a body that runs elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agentcop._seams import tool_calls

if TYPE_CHECKING:
    import pytest

    Arguments = tuple[tuple[Any, ...], dict[str, Any]]


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
