"""The three helpers as CEL sees them: their declarations, and what may stand for their second argument."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

from agentcop_policies.when import path, shell, url
from agentcop_policies.when.cannot import CannotJudgeError
from agentcop_policies.when.errors import HELPER_FORMS, HELPER_MARK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cel_expr_python import cel

Literal = str | list[str] | None
"""A literal text or list of texts in an expression; None for anything that is computed."""


HELPERS_TIME: Final = 1.0
"""Seconds within which the helpers of one evaluation must begin: a loop over the caller's list may call them often."""


class _Clock(threading.local):
    until = math.inf


_clock = _Clock()


def start_clock() -> None:
    """An evaluation begins in this thread: from now on its helpers have `HELPERS_TIME`."""
    _clock.until = time.monotonic() + HELPERS_TIME


def problem(function: str, literals: tuple[Literal, ...]) -> str:
    """What is wrong with one call of `function`; "" when nothing is, or when it is no helper.

    The second argument is the policy's word, so it must be written out: from the call's own arguments it would let the
    model choose what it is judged by.
    """
    if function not in HELPER_FORMS:
        return ""
    given = literals[1]
    if function == "path.within":
        return path.folder_problem(given) if isinstance(given, str) else _computed(function)
    if not isinstance(given, list) or not given:
        return _computed(function)
    if function == "url.host_in":
        return next(filter(None, map(url.pattern_problem, given)), "")
    return shell.programs_problem(given)


def _computed(function: str) -> str:
    return f"{function}: its second argument must be written out, as {HELPER_FORMS[function]}"


def declarations(folder: Path) -> list[cel.FunctionDecl]:
    """The helpers for one policy file's folder. A value of another type than declared is an evaluation error."""
    from cel_expr_python import cel

    text, texts, anything = cel.Type.STRING, cel.Type.List(cel.Type.STRING), cel.Type.List(cel.Type.DYN)

    def declare(name: str, helper: Callable[..., bool], *parameters: tuple[cel.Type, cel.Type]) -> cel.FunctionDecl:
        told = _telling(helper)
        overloads = [
            cel.Overload(f"{name}_{number}", cel.Type.BOOL, list(pair), False, told)  # noqa: FBT003 -- the library takes it by place
            for number, pair in enumerate(parameters)
        ]
        return cel.FunctionDecl(name, overloads)

    return [
        declare("path.within", lambda asked, inside: path.within(asked, inside, base=folder), (text, text)),
        declare("url.host_in", url.host_in, (text, texts)),
        declare("shell.only", shell.only, (text, texts), (anything, texts)),
    ]


def _telling(helper: Callable[..., bool]) -> Callable[..., bool]:
    """The helper, with its own refusals marked as fit to be shown; the library turns exceptions into error values."""

    def told(value: object, allowed: object) -> bool:
        if time.monotonic() > _clock.until:
            raise ValueError(HELPER_MARK + "it takes too long")
        try:
            return helper(value, allowed)
        except CannotJudgeError as fault:
            raise ValueError(HELPER_MARK + str(fault)) from fault

    return told
