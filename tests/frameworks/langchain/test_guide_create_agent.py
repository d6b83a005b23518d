"""The guide's cop on langchain 1's `create_agent`: the same tools, the same verdicts."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_community.tools import DuckDuckGoSearchRun
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI

from agentcop import PolicyBlocked
from guide_example import example, run, searched, serve
from openai_server import call_tool, say

__all__ = ["searched", "serve"]

pytestmark = pytest.mark.frameworks


@pytest.mark.parametrize(
    ("tool", "rule"), [("shell_execute", "gate.block[0]"), ("read_mail", "gate.default")], ids=["blocked", "unlisted"]
)
def test_its_cop_on_create_agent_gives_the_same_verdicts(tool: str, rule: str, serve: Any, searched: list[str]) -> None:
    ran: list[str] = []

    def read(text: str) -> str:
        """Read."""
        ran.append(text)
        return "read"

    configured = example().partition("\nllm = ")[0]
    cop = run(configured)["cop"]
    more = [StructuredTool.from_function(read, name=name) for name in ("shell_execute", "read_mail")]
    script = [call_tool("duckduckgo_search", query="x"), say("fine"), call_tool(tool, text="y"), say("done")]
    serve(*script)
    agent = cop.wrap(create_agent(ChatOpenAI(model="gpt-4"), [DuckDuckGoSearchRun(), *more]))
    assert agent.invoke({"messages": [("user", "go")]})["messages"][-1].content == "fine"
    with pytest.raises(PolicyBlocked) as refused:
        agent.invoke({"messages": [("user", "go on")]})
    assert (refused.value.tool, refused.value.rule) == (tool, rule)
    assert (ran, searched) == ([], ["x"])
