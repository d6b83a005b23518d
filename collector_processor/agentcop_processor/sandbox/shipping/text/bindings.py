"""Which names a statement gives a value, and which it reads."""

from __future__ import annotations

import ast
import symtable
from copy import deepcopy
from typing import Final

from agentcop_processor.sandbox.shipping.reasons import MODULE, CannotTravel

_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_NAMED: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)


def bound_by(statement: ast.stmt) -> frozenset[str]:
    """The names of the module that a top-level statement binds, changes or deletes, in whatever branch."""
    found: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(each.asname or each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.Name):
            found.update(() if isinstance(node.ctx, ast.Load) else (node.id,))
        elif isinstance(node, _NAMED) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def names_read(statement: ast.stmt) -> frozenset[str]:
    """The names of its module that a statement reads, in all its scopes; annotations aside. Raises CannotTravel."""
    bare = _Unannotated().visit(deepcopy(statement))
    try:
        text = ast.unparse(ast.fix_missing_locations(ast.Module([bare], [])))
        top = symtable.symtable(text, "tool", "exec")
    except (SyntaxError, ValueError, RecursionError):
        raise CannotTravel("its source text cannot be read", MODULE) from None
    found = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        found.update(each.get_name() for each in table.get_symbols() if each.is_global())
        waiting.extend(table.get_children())
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found.discard(statement.name)  # what calls itself
    return frozenset(found)


def annotated(statement: ast.stmt) -> frozenset[str]:
    """Names that stand in a class's annotations: dataclasses and models read some of them."""
    if not isinstance(statement, ast.ClassDef):
        return frozenset()
    annotations = (each.annotation for each in ast.walk(statement) if isinstance(each, ast.AnnAssign))
    return frozenset(node.id for each in annotations for node in ast.walk(each) if isinstance(node, ast.Name))


class _Unannotated(ast.NodeTransformer):
    """Takes off what `from __future__ import annotations` keeps from being evaluated."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(value=None)
        return self.generic_visit(node)
