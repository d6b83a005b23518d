"""An application of LangChain tools that a server, a test runner or another launcher starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from processes import POLICY, Program

TOOLS = """
import os
from langchain_core.tools import tool

@tool
def look(what: str) -> str:
    "Look at something."
    return "looked at " + what

@tool
def shell(what: str) -> str:
    "Run a command."
    open(os.environ["MARK"], "a").write("shell ran\\n")
    return "ran " + what

def called(each, what):
    from agentcop import ToolBlocked
    try:
        return each.invoke({"what": what})
    except ToolBlocked as blocked:
        return "blocked by " + blocked.verdict.rule
"""

WEB = """
import tools

def answer(path):
    return tools.called(getattr(tools, path.strip("/")), "it").encode()

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer(environ["PATH_INFO"])]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer(scope["path"])})
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs the launchers' environment."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.launchers)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that says that the blocked tool's body ran; not there if it never did."""
    return tmp_path / "mark"


@pytest.fixture
def armed(tmp_path: Path, mark: Path) -> Program:
    """The application's folder, with a policy that allows `look` and blocks `shell`."""
    variables = {"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml", "MARK": str(mark)}
    program = Program(folder=tmp_path, environment=variables)
    program.file("policy.yaml", POLICY)
    program.file("tools.py", TOOLS)
    program.file("web.py", WEB)
    return program
