"""LangChain agents over `agentcop.testing`'s tools, whose model is the scripted server. Imports langchain-core."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI

from openai_server import Reply, call_tool, openai_server, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop.testing import Tools
    from openai_server import Scripted, Served

LOOKUP = call_tool("lookup", query="x")
WIPE = call_tool("wipe", path="y")
BOTH_IN_TURN = (LOOKUP, WIPE, say("done"))


def structured(tools: Tools) -> list[StructuredTool]:
    """The two tools as LangChain's."""
    return [StructuredTool.from_function(tools.lookup), StructuredTool.from_function(tools.wipe)]


@contextmanager
def model(script: Sequence[Scripted], **options: Any) -> Iterator[tuple[ChatOpenAI, Served]]:
    """OpenAI's model as LangChain asks it, answering from the script."""
    with openai_server(script) as url:
        yield ChatOpenAI(model="gpt-4", api_key="none", base_url=url, max_retries=0, **options), url


def as_the_user_says(request: dict[str, Any]) -> Reply:
    """The call that the last user message names, or the end once it was answered: for runs that ask side by side."""
    last = request["messages"][-1]
    if last["role"] != "user":
        return say("done")
    return {"lookup": LOOKUP, "wipe": WIPE}[last["content"]]
