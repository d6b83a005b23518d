"""Which functions of a module other people's text reaches: tools of an agent, endpoints, commands."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal

from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Function, Scope

Entry = Literal["tool", "endpoint", "command"]
"""`tool`: called with what a model wrote. `endpoint`: with what came over the network. `command`: by an operator."""

TOOL_DECORATORS = words(
    "tool function_tool call_tool beta_tool beta_async_tool"
    " ai_function kernel_function mcp_tool register_tool agent_tool"
    " tool_plain resource read_resource get_prompt list_resources action register_for_llm register_for_execution"
    " toolmethod langchain_tool llm_tool function_schema register_action skill component"
)
_ENDPOINT_DECORATORS = words(
    "get post put delete patch route websocket api_route api_view head options websocket_route expose on_event"
)
_COMMAND_DECORATORS = words("command group argument option callback")
_FROM_FUNCTION = words(
    "Tool StructuredTool FunctionTool from_function from_defaults add_tool register_tool register_function bind_tools"
    " as_tool tool function_tool register_for_llm register_for_execution AsyncFunctionTool LongRunningFunctionTool"
    " register_mcp_tool create_tool to_tool make_tool"
)
_TOOL_KEYWORDS = words("tools func fn coroutine function functions handler callable tool")
_TOOL_METHODS = words(
    "_run _arun run arun execute aexecute forward call acall __call__ invoke ainvoke run_impl _execute run_async"
    " _call _acall call_tool"
)
_NO_INPUT = words("__init__ __post_init__ __new__ __enter__ __exit__ __aenter__ __aexit__ __repr__")
_TOOL_BASES = ("Tool", "BaseTool", "Toolkit", "ToolSpec", "Toolset", "StructuredTool", "ToolInstance")
_KIT_ENDINGS = ("Tools", "Toolkit", "ToolSpec", "Toolset")


def last(dotted: str) -> str:
    """The part after the last dot."""
    return dotted.rpartition(".")[2]


def _is_route(dotted: str) -> bool:
    owner, _, verb = dotted.rpartition(".")
    return (
        bool(owner)
        and verb in _ENDPOINT_DECORATORS
        and last(owner).lower() not in {"cache", "mock", "requests", "settings"}
    )


def by_decorator(names: tuple[str, ...]) -> Entry | None:
    """What the decorators of a function make it."""
    for name in names:
        if last(name) in TOOL_DECORATORS:
            return "tool"
        if _is_route(name):
            return "endpoint"
    for name in names:
        if last(name) in _COMMAND_DECORATORS and ("." in name):
            return "command"
    return None


def is_kit(name: str, bases: tuple[str, ...]) -> bool:
    """Whether a class is a set of tools, each public method one."""
    return any(last(base).endswith(("Toolkit", "ToolSpec", "Toolset", "Tools")) for base in bases) or name.endswith(
        _KIT_ENDINGS
    )


def is_tool_class(name: str, bases: tuple[str, ...]) -> bool:
    """Whether a class is one tool, run by one of its methods."""
    return any(last(base).endswith(_TOOL_BASES) for base in bases) or name.endswith("Tool")


def by_class(method: str, owner: str, bases: tuple[str, ...]) -> Entry | None:
    """What its class makes a method."""
    if method in _NO_INPUT:
        return None
    if is_tool_class(owner, bases) and method in _TOOL_METHODS:
        return "tool"
    if is_kit(owner, bases) and not method.startswith("_"):
        return "tool"
    if any(last(base).endswith("Servicer") for base in bases) and not method.startswith("_"):
        return "endpoint"  # gRPC
    return None


def _references(node: ast.expr) -> list[ast.expr]:
    """The functions that an expression may hand over: itself, or the items of a list."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [item for entry in node.elts for item in _references(entry)]
    if isinstance(node, ast.Dict):
        return [item for entry in node.values for item in _references(entry)]
    return [node] if isinstance(node, ast.Name | ast.Attribute) else []


def _given_as_tools(module: Module, call: ast.Call) -> list[ast.expr]:
    """The arguments of a call that it takes for tools."""
    given = [keyword.value for keyword in call.keywords if keyword.arg in _TOOL_KEYWORDS]
    func = call.func.func if isinstance(call.func, ast.Call) else call.func  # mcp.tool(name=…)(f)
    name = last(module.resolve(func))
    is_method = isinstance(func, ast.Attribute)
    if isinstance(func, ast.Attribute) and not name:
        name = func.attr
    if name == "append":
        if isinstance(func, ast.Attribute) and "tools" in module.resolve(func.value).lower():
            given += call.args
    elif name in _FROM_FUNCTION or (name == "register" and is_method):
        given += call.args
    elif name == "wrap" and is_method:  # AgentCop's own: a dict or list of tools
        given += [argument for argument in call.args if isinstance(argument, ast.Dict | ast.List)]
    return given


def handed_over(module: Module) -> set[str]:
    """Names, `f` or `self.f` or `Class.f`, that the module hands to something as a tool."""
    given = [value for call in module.nodes.of(ast.Call) for value in _given_as_tools(module, call)]
    given += [value for target, value in _lists_of_tools(module) if "tool" in target.lower()]
    return {name for value in given for item in _references(value) if (name := module.resolve(item))}


def _lists_of_tools(module: Module) -> list[tuple[str, ast.expr]]:
    found: list[tuple[str, ast.expr]] = []
    for node in module.nodes.of(ast.Assign):
        if isinstance(node.value, ast.List | ast.Dict | ast.Tuple):
            found += [(module.resolve(target), node.value) for target in node.targets]
    for entry in module.nodes.of(ast.AnnAssign):
        if isinstance(entry.value, ast.List | ast.Dict | ast.Tuple):
            found.append((module.resolve(entry.target), entry.value))
    return found


def entries(module: Module) -> dict[str, Entry]:
    """Qualified name of each function that outside text reaches, and how."""
    found: dict[str, Entry] = {}
    handed = handed_over(module)
    for scope in module.scopes.functions.values():
        node: Function | ast.ClassDef = scope.node
        owner: Scope | None = scope.owner
        entry = by_decorator(module.decorators(node))
        if entry is None and owner is not None:
            entry = by_class(node.name, owner.node.name, module.bases(owner.qualname))
            if entry is None and f"self.{node.name}" in handed:
                entry = "tool"
        if entry is None and (
            scope.qualname in handed or (scope.parent and scope.parent.is_function and node.name in handed)
        ):
            entry = "tool"
        if entry is not None:
            found[scope.qualname] = entry
    return found
