"""A name in a module is what its imports say it is, however it is spelt."""

from __future__ import annotations

import ast

import pytest

from agentcop_scanner.source.module import Module


def module(text: str, name: str = "app.tools.files", *, is_package: bool = False) -> Module:
    return Module(path="a.py", text=text, tree=ast.parse(text), name=name, is_package=is_package)


@pytest.mark.parametrize(
    ("imports", "called", "dotted"),
    [
        ("import subprocess as sp", "sp.run()", "subprocess.run"),
        ("from os import system", "system()", "os.system"),
        ("from os import system as s", "s()", "os.system"),
        ("import os.path", "os.path.join()", "os.path.join"),
        ("import importlib.util as u", "u.find_spec()", "importlib.util.find_spec"),
        ("from . import run", "run()", "app.tools.run"),
        ("from .run import go", "go()", "app.tools.run.go"),
        ("from ..core import go", "go()", "app.core.go"),
        ("from ....far import go", "go()", "....far.go"),
        ("run = eval", "run()", "eval"),
        ("import os\nrun = os.system", "run()", "os.system"),
        ("import builtins", "getattr(builtins, 'ev' + 'al')()", "eval"),
        ("", "__import__('os').system()", "os.system"),
        ("NAME = 'system'\nimport os", "getattr(os, NAME)()", "os.system"),
        ("a = b\nb = a", "a()", "a"),
        ("", "self.client.get()", "self.client.get"),
        ("", "f()()", ""),
    ],
)
def test_a_call_has_the_dotted_name_of_what_is_called(imports: str, called: str, dotted: str) -> None:
    made = module(f"{imports}\n{called}\n")

    assert made.dotted(made.nodes.of(ast.Call)[0]) == dotted


def test_relative_imports_of_a_package_start_in_it() -> None:
    made = module("from .run import go\ngo()\n", "app.tools", is_package=True)

    assert list(made.calls("app.tools.run.go"))


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("@tool\ndef f(x): ...\n", {"f": "tool"}),
        ("@mcp.tool()\nasync def f(x): ...\n", {"f": "tool"}),
        ("@server.call_tool()\nasync def f(x): ...\n", {"f": "tool"}),
        ("@app.post('/x')\ndef f(x): ...\n", {"f": "endpoint"}),
        ("@cli.command()\ndef f(x): ...\n", {"f": "command"}),
        ("class A(BaseTool):\n    def _run(self, x): ...\n    def other(self, x): ...\n", {"A._run": "tool"}),
        ("class A(Toolkit):\n    def read(self, x): ...\n    def _own(self, x): ...\n", {"A.read": "tool"}),
        ("class MailTools:\n    def send(self, x): ...\n    def __init__(self, x): ...\n", {"MailTools.send": "tool"}),
        ("def f(x): ...\nagent = Agent(tools=[f])\n", {"f": "tool"}),
        ("def f(x): ...\nt = Tool(name='a', func=f)\n", {"f": "tool"}),
        ("def f(x): ...\nt = StructuredTool.from_function(f)\n", {"f": "tool"}),
        ("class A:\n    def f(self, x): ...\n    def g(self): self.register(self.f)\n", {"A.f": "tool"}),
        ("class A:\n    def f(self, x): ...\n    def g(self): mcp.tool(name='f')(self.f)\n", {"A.f": "tool"}),
        ("def make(mcp):\n    @mcp.tool()\n    def f(x): ...\n", {"make.f": "tool"}),
        ("def f(x): ...\nTOOLS = {'f': f}\n", {"f": "tool"}),
        ("def f(x): ...\n", {}),
        ("@cache.get('x')\ndef f(x): ...\n", {}),
    ],
)
def test_functions_that_outside_text_reaches_are_known(text: str, entries: dict[str, str]) -> None:
    assert module(text).entries == entries


def test_a_line_belongs_to_the_innermost_function() -> None:
    made = module("class A:\n    def f(self):\n        def g():\n            pass\n        return g\nx = 1\n")

    assert [scope.qualname if (scope := made.scopes.at(line)) else "" for line in range(1, 7)] == [
        "A",
        "A.f",
        "A.f.g",
        "A.f.g",
        "A.f",
        "",
    ]


def test_every_node_is_listed_once_in_the_order_of_the_source() -> None:
    text = (
        "def f(a=g(1), *, b=g(2)):\n    with g(3) as x, g(4):\n        return [g(i) for i in g(5)]\n"
        "@g(6)\nclass A(g(7)): ...\n"
    )
    made = module(text)
    calls = made.nodes.of(ast.Call)

    assert len(calls) == sum(isinstance(node, ast.Call) for node in ast.walk(made.tree))
    assert [call.lineno for call in calls] == sorted(call.lineno for call in calls)
