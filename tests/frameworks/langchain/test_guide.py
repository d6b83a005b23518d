"""The guide's full example runs, read from the guide: literally on langchain 0.3, else with its imports changed.

The search is replaced, see `guide_example`.
"""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import Tool

from agentcop import PolicyBlocked, SandboxRefused
from guide_example import example, run, searched, serve
from openai_server import Reply, say

__all__ = ["searched", "serve"]

pytestmark = pytest.mark.frameworks


def asks(tool: str, argument: str) -> Reply:
    return say(f"Thought: I need a tool.\nAction: {tool}\nAction Input: {argument}\nObservation: made up")


DONE = say("Thought: I now know the final answer\nFinal Answer: Patch your agents.")


def test_as_printed_its_call_is_refused_where_there_is_no_engine(
    serve: Any, searched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    url = serve(asks("duckduckgo_search", "agent vulnerabilities"), DONE)
    with pytest.raises(SandboxRefused, match="sandbox"):
        run(example(sandbox=True))
    assert (searched, len(url.requests)) == ([], 1)


def test_without_the_sandbox_its_call_runs_and_the_answer_comes_back(serve: Any, searched: list[str]) -> None:
    url = serve(asks("duckduckgo_search", "agent vulnerabilities"), DONE)
    ran = run(example())
    assert ran["result"] == "Patch your agents."
    assert ran["protected_agent"] is ran["agent"]
    assert searched == ["agent vulnerabilities"]
    assert "An advisory was published." in url.requests[1]["messages"][-1]["content"]
    assert ran["cop"].counts() == {"allowed": 1}


def test_a_tool_that_does_not_exist_runs_nothing(serve: Any, searched: list[str]) -> None:
    url = serve(asks("duck_search", "x"), DONE)
    ran = run(example())
    assert (ran["result"], searched, ran["cop"].counts()) == ("Patch your agents.", [], {})
    assert "duck_search is not a valid tool" in url.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("tool", "rule"), [("shell_execute", "gate.block[0]"), ("read_mail", "gate.default")], ids=["blocked", "unlisted"]
)
def test_with_two_more_tools_a_blocked_and_an_unlisted_one_do_not_run(
    tool: str, rule: str, serve: Any, searched: list[str]
) -> None:
    ran: list[str] = []
    more = [Tool(name=name, description="Another.", func=ran.append) for name in ("shell_execute", "read_mail")]
    url = serve(asks("duckduckgo_search", "x"), asks(tool, "y"), DONE)
    with pytest.raises(PolicyBlocked) as refused:
        run(example(more=True), more=more)
    assert (refused.value.tool, refused.value.rule) == (tool, rule)
    assert (ran, searched, len(url.requests)) == ([], ["x"], 2)
