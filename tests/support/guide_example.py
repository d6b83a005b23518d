"""The guide's full example as a program that can be run here, its model the scripted server.

Only the search itself, `ddgs.DDGS.text`, is replaced, because it asks the internet.
"""

from __future__ import annotations

import ast
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from ddgs.ddgs import DDGS

from guide import listings
from openai_server import openai_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_server import Reply, Served

_BUILD = "tools = [DuckDuckGoSearchRun()]"


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
    assert _BUILD in text
    if more:
        text = text.replace(_BUILD, _BUILD.replace("]", ", *more]"))
    if find_spec("langchain_classic"):
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
