"""A piece of a module's text that stands by itself: one tool and all that its names lead to.

No value of the running program is in it. What was computed when the module ran, as `KEY = os.environ["KEY"]`, is left
behind, and the tool that reads it is not shippable.
"""

from __future__ import annotations

import ast
import builtins
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.imports import absolute, imported
from agentcop_processor.sandbox.shipping.origins import is_cops
from agentcop_processor.sandbox.shipping.reasons import MODULE, CannotTravel
from agentcop_processor.sandbox.shipping.text.bindings import annotated, names_read
from agentcop_processor.sandbox.shipping.text.definitions import is_fixed
from agentcop_processor.sandbox.shipping.text.literals import is_literal
from agentcop_processor.sandbox.shipping.text.unchanged import check_unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from agentcop_processor.sandbox.shipping.text.texts import Text

_GIVEN: Final = frozenset({"__name__", "__doc__", "__builtins__", "__debug__", *vars(builtins)})
_VALUE: Final = f"pass it as an argument, by `sandbox.env` or `sandbox.secrets`, or {MODULE}"


def sliced(module: ModuleType, text: Text, tool: ast.stmt) -> tuple[str, tuple[str, ...]]:
    """The text of a module that holds `tool`, a definition as it is to stand there, and the modules it imports.

    Raises CannotTravel.
    """
    taken = _Taking(vars(module), text).by(tool)
    package = str(vars(module).get("__package__") or "")
    key = (ast.dump(tool), package, tuple((number, tuple(sorted(names))) for number, names in sorted(taken.items())))
    if (made := text.made.get(key)) is None:
        made = text.made[key] = _written(text, tool, taken, package)
    return made


def _written(text: Text, tool: ast.stmt, taken: Mapping[int, set[str]], package: str) -> tuple[str, tuple[str, ...]]:
    parts = [_reduced(text.statements[number], names) for number, names in sorted(taken.items())]
    futures = [each for each in text.statements if _is_future(each)]
    first = ast.parse("from __future__ import annotations").body
    whole = _Absolute(package).visit(deepcopy(ast.Module([*first, *futures, *parts, tool], [])))
    imports = [each for each in ast.walk(whole) if isinstance(each, ast.Import | ast.ImportFrom)]
    names = dict.fromkeys(name for each in imports for name in imported(each, ""))
    return f"{ast.unparse(ast.fix_missing_locations(whole))}\n", tuple(names)


class _Taking:
    """Follows names to the statements that bind them."""

    def __init__(self, names: Mapping[str, object], text: Text) -> None:
        self._names = names
        self._text = text
        self._taken: dict[int, set[str]] = {}

    def by(self, tool: ast.stmt) -> Mapping[int, set[str]]:
        """Statements by number, with the names that are wanted of each."""
        if not is_fixed(tool.value if isinstance(tool, ast.Assign) else tool, self._names):  # the first is a lambda's
            raise CannotTravel("a default or another part of it was computed when its module ran", _VALUE)
        waiting = [(name, True) for name in names_read(tool)] + [(name, False) for name in annotated(tool)]
        while waiting:
            name, hard = waiting.pop()
            for number in self._text.binding.get(name, ()) or self._unbound(name, hard=hard):
                if number in self._taken:
                    self._taken[number].add(name)
                    continue
                try:
                    self._check(self._text.statements[number], name)
                    check_unchanged(self._text, number, name, self._names)
                except CannotTravel:
                    if hard:
                        raise
                    continue  # an annotation is not evaluated
                self._taken[number] = {name}
                reads, soft = self._text.reads(number)
                waiting.extend((each, hard) for each in reads)
                waiting.extend((each, False) for each in soft)
        return self._taken

    def _unbound(self, name: str, *, hard: bool) -> tuple[int, ...]:
        """The statements that a name which none binds may come from: `from … import *`."""
        if name in _GIVEN or not hard:
            return ()
        stars = tuple(number for number, each in enumerate(self._text.statements) if _is_star(each))
        if name == "__file__" or name not in self._names or not stars:
            raise CannotTravel(f"it reads {name}, which its module's text does not define", _VALUE)
        return stars

    def _check(self, statement: ast.stmt, name: str) -> None:
        """Raises CannotTravel unless this statement gives in a box what it gave here."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module = statement.module if isinstance(statement, ast.ImportFrom) else statement.names[0].name
            if is_cops(module):
                raise CannotTravel(f"it reads {name}, which is AgentCop's", "leave the cop to the program around it")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not is_fixed(statement, self._names):
                raise CannotTravel(f"it uses {name}, of which a part was computed when its module ran", _VALUE)
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
            plain = all(isinstance(each, ast.Name | ast.Tuple) for each in statement.targets)
            return plain and is_literal(statement.value, self._names)
        if isinstance(statement, ast.AnnAssign):
            return statement.value is None or is_literal(statement.value, self._names)
        return type(statement).__name__ == "TypeAlias"  # Python 3.12


class _Absolute(ast.NodeTransformer):
    """`from .x import y` as it reads outside of its package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.level and not self._package:
            raise CannotTravel("it imports from a package that its module is not in", MODULE)
        return ast.ImportFrom(module=absolute(node, self._package), names=node.names, level=0)


def _reduced(statement: ast.stmt, names: set[str]) -> ast.stmt:
    """Of an import only what is wanted."""
    if not isinstance(statement, ast.Import | ast.ImportFrom) or _is_star(statement):
        return statement
    wanted = [each for each in statement.names if (each.asname or each.name.partition(".")[0]) in names]
    copied = deepcopy(statement)
    copied.names = wanted
    return copied


def _is_star(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__" and not statement.level
