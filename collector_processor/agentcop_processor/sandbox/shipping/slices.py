"""A piece of a module's text that stands by itself: one tool and all that its names lead to.

No value of the running program is in it. What was computed when the module ran, as `KEY = os.environ["KEY"]`, is left
behind, and the tool that reads it is not shippable.
"""

from __future__ import annotations

import ast
import builtins
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.bindings import bound_by, names_read
from agentcop_processor.sandbox.shipping.imports import absolute
from agentcop_processor.sandbox.shipping.literals import is_literal
from agentcop_processor.sandbox.shipping.origins import is_cops
from agentcop_processor.sandbox.shipping.reasons import MODULE, CannotTravel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from agentcop_processor.sandbox.shipping.texts import Unit

_GIVEN: Final = (
    frozenset({"__name__", "__doc__", "__builtins__", "__debug__", "__annotations__"}) | vars(builtins).keys()
)
_VALUE: Final = f"pass it as an argument, by `sandbox.env` or `sandbox.secrets`, or {MODULE}"


class Slice:
    """Grows by what its names lead to."""

    def __init__(self, module: ModuleType, units: Iterable[Unit]) -> None:
        self._names: Mapping[str, object] = vars(module)
        self._package = str(vars(module).get("__package__") or "")
        self._statements = [statement for unit in units for statement in unit.tree.body]
        self._binding: dict[str, list[int]] = {}
        for number, statement in enumerate(self._statements):
            for name in bound_by(statement):
                self._binding.setdefault(name, []).append(number)
        self._taken: dict[int, set[str]] = {}
        """Statements by number, with the names that are wanted of them."""

    def text(self, tool: ast.stmt) -> str:
        """The text with `tool`, a definition as it is to stand there, at its end. Raises CannotTravel."""
        self._follow(tool)
        parts = [self._reduced(self._statements[number], names) for number, names in sorted(self._taken.items())]
        futures = [each for each in self._statements if _is_future(each)]
        first = ast.parse("from __future__ import annotations").body
        whole = ast.Module([*first, *futures, *parts, tool], [])
        text = ast.unparse(ast.fix_missing_locations(_Absolute(self._package).visit(deepcopy(whole))))
        return f"{text}\n"

    def _follow(self, statement: ast.stmt) -> None:
        waiting = [(name, True) for name in names_read(statement)] + [(name, False) for name in _annotated(statement)]
        while waiting:
            name, hard = waiting.pop()
            for number in self._binding.get(name, ()) or self._unbound(name, hard=hard):
                known = self._taken.get(number)
                if known is None:
                    try:
                        self._check(self._statements[number], name)
                        self._check_unchanged(self._statements[number], name)
                    except CannotTravel:
                        if hard:
                            raise
                        continue
                    self._taken[number] = {name}
                    waiting.extend((each, hard) for each in names_read(self._statements[number]))
                    waiting.extend((each, False) for each in _annotated(self._statements[number]))
                else:
                    known.add(name)

    def _unbound(self, name: str, *, hard: bool) -> tuple[int, ...]:
        """The statements that a name which none binds may come from: `from … import *`."""
        if name in _GIVEN or not hard:
            return ()
        stars = tuple(number for number, each in enumerate(self._statements) if _is_star(each))
        if name == "__file__" or name not in self._names or not stars:
            raise CannotTravel(f"it reads {name}, which its module's text does not define", f"{_VALUE}")
        return stars

    def _check(self, statement: ast.stmt, name: str) -> None:
        """Raises CannotTravel unless this statement gives in a box what it gave here."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module = statement.module if isinstance(statement, ast.ImportFrom) else statement.names[0].name
            if is_cops(module):
                raise CannotTravel(f"it reads {name}, which is AgentCop's", "leave the cop to the program around it")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if "__agentcop_seam__" in getattr(self._names.get(name), "__dict__", {}):
                out = f"call it from outside of the tool, or {MODULE}"
                raise CannotTravel(f"it calls {name}, a guarded tool, which nobody would judge in a box", out)
        elif isinstance(statement, ast.Try | ast.If):
            self._check_branches(statement, name)
        elif not self._is_constant(statement):
            raise CannotTravel(f"it reads {name}, which was computed when its module ran", _VALUE)

    def _check_branches(self, statement: ast.Try | ast.If, name: str) -> None:
        """`try: import …` and `if sys.version_info …`: of what may stand alone."""
        if isinstance(statement, ast.If) and not is_literal(statement.test, self._names):
            raise CannotTravel(f"it reads {name}, which depends on what its module found when it ran", _VALUE)
        inner = [*statement.body, *statement.orelse]
        if isinstance(statement, ast.Try):
            inner += [*statement.finalbody, *(each for handler in statement.handlers for each in handler.body)]
        for each in inner:
            if not isinstance(each, ast.Pass):
                self._check(each, name)

    def _is_constant(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Assign):
            return all(isinstance(each, ast.Name | ast.Tuple) for each in statement.targets) and is_literal(
                statement.value, self._names
            )
        if isinstance(statement, ast.AnnAssign):
            return statement.value is None or is_literal(statement.value, self._names)
        return type(statement).__name__ == "TypeAlias"  # Python 3.12

    def _check_unchanged(self, statement: ast.stmt, name: str) -> None:
        """A literal that the program has changed since is no constant."""
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if value is None or len(self._binding[name]) > 1:
            return
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if not all(isinstance(each, ast.Name) for each in targets):
            return
        try:
            literal = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return
        if not _same(self._names.get(name), literal):
            raise CannotTravel(f"it reads {name}, which has changed since its module ran", _VALUE)

    def _reduced(self, statement: ast.stmt, names: set[str]) -> ast.stmt:
        """Of an import only what is wanted."""
        if not isinstance(statement, ast.Import | ast.ImportFrom) or _is_star(statement):
            return statement
        wanted = [each for each in statement.names if (each.asname or each.name.partition(".")[0]) in names]
        copied = deepcopy(statement)
        copied.names = wanted
        return copied


def _same(live: object, literal: object) -> bool:
    try:
        return type(live) is type(literal) and bool(live == literal)
    except Exception:  # what was put into a list may compare as it likes
        return False


class _Absolute(ast.NodeTransformer):
    """`from .x import y` as it reads outside of its package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.level and not self._package:
            raise CannotTravel("it imports from a package that its module is not in", MODULE)
        return ast.ImportFrom(module=absolute(node, self._package), names=node.names, level=0)


def _annotated(statement: ast.stmt) -> Iterable[str]:
    """Names that stand in a class's annotations: dataclasses and models read some of them."""
    if not isinstance(statement, ast.ClassDef):
        return ()
    annotations = (each.annotation for each in ast.walk(statement) if isinstance(each, ast.AnnAssign))
    return {node.id for each in annotations for node in ast.walk(each) if isinstance(node, ast.Name)}


def _is_star(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__" and not statement.level
