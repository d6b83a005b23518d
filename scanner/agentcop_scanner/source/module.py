"""One parsed Python module, and what its names stand for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property

from agentcop_scanner.finding import Place


@dataclass(kw_only=True)
class Module:
    """A module's source and tree. Read-only by agreement; what is derived is made once, when first asked for."""

    path: str
    text: str
    tree: ast.Module
    name: str = ""
    """Dotted name inside the scanned root; "" if it cannot be told."""
    _names: dict[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The source by lines, without their ends."""
        return self.text.splitlines()

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to the dotted name that an import, anywhere in the module, gave it."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    def resolve(self, node: ast.expr) -> str:
        """The dotted name that an expression stands for, through import aliases: `sp.run` → `subprocess.run`; or ""."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join((self.imports.get(node.id, node.id), *reversed(parts)))

    def place(self, node: ast.AST) -> Place:
        """Where a node stands."""
        line: int = getattr(node, "lineno", 1)
        return Place(
            line=line,
            col=getattr(node, "col_offset", 0) + 1,
            end_line=getattr(node, "end_lineno", None) or line,
            end_col=getattr(node, "end_col_offset", None) or 0,
        )
