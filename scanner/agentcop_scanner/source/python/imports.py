"""What the imports of a module call things."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_scanner.source.python.nodes import Nodes


def _absolute(module: str | None, level: int, package: str) -> str:
    """The dotted name that `from ..x import` means inside `package`; what cannot be told keeps its dots."""
    if not level:
        return module or ""
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - level + 1] if level <= len(parts) else []
    if not kept:
        return "." * level + (module or "")
    return ".".join((*kept, module) if module else kept)


def imported(nodes: Nodes, package: str) -> dict[str, str]:
    """Local name to the dotted name that an import, anywhere in the module, gave it.

    `package` is the dotted name of the package the module is in. A relative import whose package is not known keeps its
    dots: `.tools.run`.
    """
    found: dict[str, str] = {}
    for node in nodes.of(ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            found[alias.asname or top] = alias.name if alias.asname else top
    for entry in nodes.of(ast.ImportFrom):
        module = _absolute(entry.module, entry.level, package)
        glue = "" if module.endswith(".") or not module else "."
        for alias in entry.names:
            if alias.name != "*":
                found[alias.asname or alias.name] = f"{module}{glue}{alias.name}"
    return found


def starred(nodes: Nodes, package: str) -> tuple[str, ...]:
    """The modules of which everything is imported."""
    return tuple(
        _absolute(entry.module, entry.level, package)
        for entry in nodes.of(ast.ImportFrom)
        if any(alias.name == "*" for alias in entry.names)
    )
