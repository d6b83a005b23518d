"""A policy held against the agent's tools: misspelt names and arguments are found."""

from __future__ import annotations

from typing import Any

import pytest

from agentcop_policies.toolbox import Tool, UnreadableTools, check_tools, read_tools
from policytext import gate


def search(query: str, limit: int = 3) -> str:
    """A tool."""
    return query * limit


def anything(**options: object) -> None:
    """A tool whose arguments are not fixed."""


OPENAI = {"type": "function", "function": {"name": "pay", "parameters": {"properties": {"amount": {}, "to": {}}}}}
MCP = {"name": "read_file", "inputSchema": {"type": "object", "properties": {"path": {}}}}


def test_tools_are_read_from_names_schemas_and_callables() -> None:
    class Wrapped:
        name = "wrapped"
        func = staticmethod(search)

    assert read_tools(["a", OPENAI, MCP, search, anything, Wrapped()]) == (
        Tool(name="a", arguments=None),
        Tool(name="pay", arguments=frozenset({"amount", "to"})),
        Tool(name="read_file", arguments=frozenset({"path"})),
        Tool(name="search", arguments=frozenset({"query", "limit"})),
        Tool(name="anything", arguments=None),
        Tool(name="wrapped", arguments=frozenset({"query", "limit"})),
    )
    assert read_tools({"tools": ["a"]}) == read_tools({"x": "a"}) == read_tools(["a"])


@pytest.mark.parametrize("value", ["search", 3, None, [3], [{"type": "function"}]])
def test_what_holds_no_tools_is_refused(value: Any) -> None:
    with pytest.raises(UnreadableTools):
        read_tools(value)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (
            "allow: [serch]",
            ('policy.yaml:3:11 gate.allow[0] "serch" matches none of the agent\'s tools; did you mean "',),
        ),
        ('require_approval: ["del_*"]', ('policy.yaml:3:22 gate.require_approval[0] "del_*" matches none of',)),
        ('allow: [pay]\nblock: [shell_execute, "delete_*"]', ()),
        (
            "allow: [{tool: pay, when: 'args.amout > 1.0'}]",
            ('policy.yaml:3:11 gate.allow[0] reads args.amout, which "pay"',),
        ),
        (
            "allow: [pay]\nblock: [{tool: read_file, when: 'args.file == \"x\"'}]",
            ("policy.yaml:4:11 gate.block[0] reads",),
        ),
        ("allow: [{tool: anything, when: 'args.whatever == 1'}]", ()),
        ('allow: [{tool: "*", when: \'args.path == "x" || args.amount == 1\'}]', ()),
        ("allow: [{tool: pay, when: 'args.amount > 1.0 && principal != \"\"'}]", ()),
    ],
)
def test_what_misses_the_tools_is_found(text: str, findings: tuple[str, ...]) -> None:
    tools = read_tools([OPENAI, MCP, search] if "anything" not in text else [OPENAI, anything])

    found = check_tools(gate(text), tools)

    assert len(found) == len(findings)
    assert all(line.startswith(start) for line, start in zip(found, findings, strict=True)), found
