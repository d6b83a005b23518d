"""The guide's full example runs, read from the guide: literally on langchain 0.3, elsewhere with its imports changed.

Its model is the local server; only the search itself, `ddgs.DDGS.text`, is replaced, because it asks the internet.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from ddgs.ddgs import DDGS
from langchain_core.tools import StructuredTool, Tool
from langchain_openai import ChatOpenAI

from agentcop import PolicyBlocked, SandboxRefused
from guide import listings
from openai_server import Reply, Served, call_tool, openai_server, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.frameworks
literally = not find_spec("langchain_classic")
BUILD = "tools = [DuckDuckGoSearchRun()]"


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that reached the search engine's client."""
    queries: list[str] = []

    def text(self: DDGS, query: str, **kwargs: Any) -> list[dict[str, str]]:
        queries.append(query)
        return [{"title": "News", "body": "An advisory was published.", "href": "https://example.test"}]

    monkeypatch.setattr(DDGS, "text", text)
    return queries


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Served]]:
    """Lets OpenAI's client find the scripted server by its own variables."""
    from contextlib import ExitStack

    with ExitStack() as open_servers:

        def start(*script: Reply) -> Served:
            url = open_servers.enter_context(openai_server(script))
            monkeypatch.setenv("OPENAI_API_KEY", "none")
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            return url

        yield start


def example(*, sandbox: bool = False, more: bool = False) -> str:
    """The guide's last Python listing; without its sandbox argument, with more tools, and on langchain-classic."""
    text = listings("python")[-1]
    assert BUILD in text
    if more:
        text = text.replace(BUILD, BUILD.replace("]", ", *more]"))
    if not literally:
        text = text.replace("from langchain.agents import", "from langchain_classic.agents import")
        text = text.replace("from langchain.tools import", "from langchain_community.tools import")
    tree = ast.parse(text)
    if not sandbox:
        (configured,) = (
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "AgentCop"
        )
        kept = [keyword for keyword in configured.keywords if keyword.arg != "sandbox_mode"]
        assert len(kept) == len(configured.keywords) - 1
        configured.keywords = kept
    return ast.unparse(tree)


def run(text: str, **names: Any) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(text, "guide", "exec"), namespace)  # noqa: S102 -- the guide's own program is what is tested
    return namespace


def asks(tool: str, argument: str) -> Reply:
    return say(f"Thought: I need a tool.\nAction: {tool}\nAction Input: {argument}\nObservation: made up")


DONE = say("Thought: I now know the final answer\nFinal Answer: Patch your agents.")


def test_as_printed_its_call_is_refused_because_there_is_no_sandbox(serve: Any, searched: list[str]) -> None:
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


@pytest.mark.skipif(literally, reason="create_agent is langchain 1's")
@pytest.mark.parametrize(
    ("tool", "rule"), [("shell_execute", "gate.block[0]"), ("read_mail", "gate.default")], ids=["blocked", "unlisted"]
)
def test_its_cop_on_create_agent_gives_the_same_verdicts(tool: str, rule: str, serve: Any, searched: list[str]) -> None:
    from langchain.agents import create_agent
    from langchain_community.tools import DuckDuckGoSearchRun

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
