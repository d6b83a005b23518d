"""What a model is told about tools: docstrings, descriptions, definitions, skills and instructions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.source.python.nodes import under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node
    from agentcop_scanner.finding import Place
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

_NAMES: Final = frozenset(
    {"description", "desc", "tool_description", "args_description", "docstring", "summary", "title"}
)
_PROMPTS: Final = frozenset(
    {"instructions", "prompt", "system", "system_prompt", "system_message", "backstory", "goal", "role", "rules"}
)
_SHORTEST: Final = 25


def told_in_module(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Texts that describe tools and their arguments, each with where it stands."""
    seen: set[int] = set()
    for text, node in _all(module):
        if len(text) >= _SHORTEST and id(node) not in seen:
            seen.add(id(node))
            yield text, node


def _all(module: Module) -> Iterator[tuple[str, ast.AST]]:
    yield from _docstrings(module)
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            if keyword.arg in _NAMES:
                yield from _text(module, keyword.value)
        if module.resolve(call.func).rpartition(".")[2] in {"tool", "Tool", "function_tool"}:
            for given in call.args[1:3]:
                yield from _text(module, given)
    yield from _keyed(module)
    yield from _annotated(module)


def _keyed(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """In mappings and class bodies."""
    for mapping in module.nodes.of(ast.Dict):
        for key, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in _NAMES:
                yield from _text(module, value)
    for scope in module.scopes.classes.values():
        for statement in scope.node.body:
            given = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if given is not None and _assigned(statement) in _NAMES:
                yield from _text(module, given)


def _docstrings(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Of tools, and of functions and classes that the module hands around as values."""
    handed = _handed(module)
    for scope in module.scopes.all:
        node = scope.node
        kept = scope.qualname in module.entries or node.name in handed
        if not scope.is_function:
            kept = any(name.rpartition(".")[2].endswith(("Tool", "BaseModel")) for name in module.bases(scope.qualname))
        first = node.body[0]
        if (
            kept
            and isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            yield first.value.value, first.value


def _handed(module: Module) -> set[str]:
    """Names that stand in lists and mappings."""
    found: set[str] = set()
    for listed in module.nodes.of(ast.List):
        found.update(item.id for item in listed.elts if isinstance(item, ast.Name))
    for mapping in module.nodes.of(ast.Dict):
        found.update(item.id for item in mapping.values if isinstance(item, ast.Name))
    return found


def _text(module: Module, value: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    text = module.constant(value)
    if isinstance(text, str):
        yield text, value
    elif isinstance(value, ast.JoinedStr):  # what stands between the values is told too
        parts = (part.value for part in value.values if isinstance(part, ast.Constant))
        yield "…".join(part for part in parts if isinstance(part, str)), value


def _assigned(statement: ast.stmt) -> str:
    target: ast.expr | None = statement.target if isinstance(statement, ast.AnnAssign) else None
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _annotated(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """`Annotated[str, "what it is"]` of the parameters of tools."""
    for scope in module.scopes.functions.values():
        if module.entries.get(scope.qualname) != "tool" or isinstance(scope.node, ast.ClassDef):
            continue
        for node in under(scope.node.args):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, node


def told_in_document(document: Document) -> Iterator[tuple[str, Place | None, int]]:
    """Texts for a model, each with its place, or None and the offset in the file where it begins."""
    if document.prose:
        if document.kind in {"instructions", "skill"}:
            yield document.text, None, 0
        return
    for path, node in document.values():
        if isinstance(node.scalar, str) and len(node.scalar) >= _SHORTEST and path and _is_told(path, node, document):
            yield node.scalar, node.place, 0


def _is_told(path: tuple[str, ...], node: Node, document: Document) -> bool:
    name = path[-1].lower().replace("-", "_")
    return bool(node.scalar) and (name in _NAMES or name in _PROMPTS or document.kind in {"instructions", "skill"})
