"""Agents of the OpenAI Agents SDK over `agentcop.testing`'s tools, their model a scripted server. Imports agents."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agents import Agent, FunctionTool, Runner, function_tool, set_tracing_disabled
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel
from openai import AsyncOpenAI

from openai_server import Reply, call_tool, openai_server, say

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence

    from agentcop.testing import Tools
    from openai_server import Scripted, Served

# Its own exporter would send every trace to its maker.
os.environ.setdefault("OPENAI_API_KEY", "none")
set_tracing_disabled(disabled=True)

LOOKUP = call_tool("lookup", query="x")
WIPE = call_tool("wipe", path="y")
BOTH_IN_TURN = (LOOKUP, WIPE, say("done"))
ASK = "go"


def both(tools: Tools) -> list[FunctionTool]:
    """The two tools as the SDK's."""
    return [function_tool(tools.lookup), function_tool(tools.wipe)]


@contextmanager
def model(script: Sequence[Scripted], *, responses: bool = False, name: str = "gpt-4") -> Iterator[tuple[Any, Served]]:
    """OpenAI's model as the SDK asks it, answering from the script; over chat completions, or over Responses."""
    kind = OpenAIResponsesModel if responses else OpenAIChatCompletionsModel
    with _loop(), openai_server(script) as url:
        client = AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
        try:
            yield kind(model=name, openai_client=client), url
        finally:
            wait(client.close())


def agent(llm: Any, tools: Sequence[Any], **options: Any) -> Agent[Any]:
    """An agent of this model with these tools."""
    return Agent(**{"name": "assistant", "model": llm, "tools": list(tools), **options})


_loops: list[asyncio.AbstractEventLoop] = []
"""The loop of each model in use: its connections belong to one, and the SDK's synchronous run wears one out."""


@contextmanager
def _loop() -> Iterator[None]:
    _loops.append(asyncio.new_event_loop())
    try:
        yield
    finally:
        wait(_loops[-1].shutdown_asyncgens())
        _loops.pop().close()


def wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run it to its end, where the model in use is."""
    return _loops[-1].run_until_complete(coroutine) if _loops else asyncio.run(coroutine)


def run(made: Agent[Any], asked: Any = ASK, **options: Any) -> Any:
    """The result of a run."""
    return wait(Runner.run(made, asked, **options))


def run_sync(made: Agent[Any], asked: Any = ASK, **options: Any) -> Any:
    """The same by the way that makes no coroutine of its caller."""
    asyncio.set_event_loop(_loops[-1])
    try:
        return Runner.run_sync(made, asked, **options)
    finally:
        asyncio.set_event_loop(None)


def run_streamed(made: Agent[Any], asked: Any = ASK, **options: Any) -> Any:
    """The same, iterated to its end."""

    async def iterate() -> Any:
        result = Runner.run_streamed(made, asked, **options)
        async for _ in result.stream_events():
            pass
        return result

    return wait(iterate())


def said(result: Any) -> list[Any]:
    """Everything a run said, as a model would be told it again, without the ids that depend on who asked first."""
    left_out = {"id", "call_id", "provider_data"}
    items = [{key: value for key, value in item.items() if key not in left_out} for item in result.to_input_list()]
    return [*items, result.final_output]


def outputs(result: Any) -> list[Any]:
    """What the model reads of each tool call."""
    return [item.raw_item["output"] for item in result.new_items if item.type == "tool_call_output_item"]


def as_the_user_says(request: dict[str, Any]) -> Reply:
    """The call that the last user message names, or the end once it was answered: for runs that ask side by side."""
    last = request["messages"][-1]
    if last["role"] != "user":
        return say("done")
    return {"lookup": LOOKUP, "wipe": WIPE}[last["content"]]
