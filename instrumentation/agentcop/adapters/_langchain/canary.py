"""The doctor's calls of LangChain's tools: by hand, and as an agent's model calls them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from agentcop.adapters._interface import CANARY, Canary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def canaries(body: Callable[[], str]) -> Iterable[Canary]:
    """One for each method by which a tool is called."""
    import asyncio  # not in an agent's process

    async def coroutine() -> str:
        return body()

    def tool() -> Any:  # noqa: ANN401 -- of a package that may not be here
        made = sys.modules["langchain_core.tools"].StructuredTool
        return made.from_function(func=lambda: body(), coroutine=coroutine, name=CANARY, description="Nothing.")  # noqa: PLW0108 -- a signature is read off it

    asked = {"name": CANARY, "args": {}, "id": "canary", "type": "tool_call"}
    yield Canary(way="BaseTool.run", call=lambda: tool().run({}))
    yield Canary(way="BaseTool.arun", call=lambda: asyncio.run(tool().arun({})))
    yield Canary(way="BaseTool.invoke", call=lambda: tool().invoke(asked))
    yield Canary(way="BaseTool.ainvoke", call=lambda: asyncio.run(tool().ainvoke(asked)))
