"""Edits of one call's arguments."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.fixes.source import Edit

if TYPE_CHECKING:
    from agentcop_scanner.fixes.source import Source


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """The argument given by that name."""
    return next((one for one in call.keywords if one.arg == name), None)


def is_constant(given: ast.keyword | None, value: bool) -> bool:  # noqa: FBT001 -- the value sought
    """Whether an argument is written as exactly True, or exactly False."""
    return given is not None and isinstance(given.value, ast.Constant) and given.value.value is value


def replaced(source: Source, node: ast.expr, text: str) -> Edit:
    """An expression becomes `text`."""
    return Edit(start=source.start(node), end=source.end(node), text=text)


def added(source: Source, call: ast.Call, argument: str) -> Edit | None:
    """`argument`, written `name=value`, after the last one.

    None where `**kwargs` could hold it already, or where a generator without parentheses is the only argument.
    """
    if any(one.arg is None for one in call.keywords):
        return None
    given = [*call.args, *call.keywords]
    if len(given) == 1 and isinstance(given[0], ast.GeneratorExp):
        return None
    closing = source.end(call) - 1
    _, end, last = source.before(closing)
    comma = "" if last == "(" and not given else " " if last == "," else ", "
    return Edit(start=end, end=end, text=comma + argument)


def removed(source: Source, given: ast.keyword) -> Edit | None:
    """Without one named argument, and the comma before it; None where it is the first."""
    start, _, text = source.before(source.start(given))
    return Edit(start=start, end=source.end(given), text="") if text == "," else None
