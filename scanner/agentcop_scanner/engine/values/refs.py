"""Functions and classes of the scanned tree, as values refer to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from agentcop_scanner.engine.unit import Unit
    from agentcop_scanner.engine.values.value import Value
    from agentcop_scanner.source.python.scopes import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRef:
    """A function or method that stands in a module or class."""

    unit: Unit
    scope: Scope
    bound: bool = False
    """Whether its first parameter is given already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRef:
    """A class."""

    unit: Unit
    qualname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureRef:
    """A function inside a function, or a lambda, with the names around it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    names: dict[str, Value] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRef:
    """An object of a class."""

    unit: Unit
    qualname: str


Ref = FunctionRef | ClassRef | ClosureRef | InstanceRef
