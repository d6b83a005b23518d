"""What a condition may look at: arguments small and plain enough that the CEL library answers for them soundly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcop_policies.when.cannot import CannotJudgeError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BYTES = 65_536
# The CEL library overruns the C stack at some hundreds of levels on a small thread's stack.
_MAX_DEPTH = 32
_TOO_MUCH = "it reads more than 64 KiB of arguments"


def readable(picked: dict[str, Any]) -> dict[str, Any]:
    """`picked` (arguments in plain form) as a condition reads them: itself, but for keys that begin with `$`.

    Those stand as their user wrote them, without the sign that the plain form puts before them. Raises
    CannotJudgeError if the arguments are beyond 64 KiB, 32 levels, or plain: what stands for a value without plain form
    (`{"$bytes": …}`, `{"$float": "nan"}`, `{"$int": …}`) is not the value, and a comparison with it would be false.
    """
    left = _MAX_BYTES
    for key, value in picked.items():
        kind = type(value)
        if key[:1] == "$":
            return _thoroughly(picked)
        if kind is str:
            left -= len(value)
        elif kind is float:
            if value - value != 0.0:  # nan and the infinities give nan
                return _thoroughly(picked)
        elif kind is not int and kind is not bool and value is not None:
            return _thoroughly(picked)
    if left < 0:
        raise CannotJudgeError(_TOO_MUCH)
    return picked


def _thoroughly(picked: dict[str, Any]) -> dict[str, Any]:
    left = _MAX_BYTES
    level: list[dict[str, Any] | list[Any]] = [picked]
    signed = False
    for _ in range(_MAX_DEPTH):
        below: list[dict[str, Any] | list[Any]] = []
        for node in level:
            left -= 2 * len(node)
            if isinstance(node, dict):
                left -= _keys(node)
                signed = signed or any(key[:2] == "$$" for key in node)
                left -= _values(node.values(), below)
            else:
                left -= _values(node, below)
        if left < 0:
            raise CannotJudgeError(_TOO_MUCH)
        if not below:
            return {_said(key): _as_said(value) for key, value in picked.items()} if signed else picked
        level = below
    raise CannotJudgeError("it reads arguments nested deeper than 32 levels")


def _keys(table: dict[str, Any]) -> int:
    for key in table:
        if key[:1] == "$" and key[:2] != "$$" and key[:5] != "$key:":
            raise CannotJudgeError("it reads a value that has no plain form, such as bytes")
    return sum(map(len, table))


def _values(values: Iterable[Any], below: list[dict[str, Any] | list[Any]]) -> int:
    """The weight of texts among `values`; containers are put `below`."""
    weight = 0
    for value in values:
        kind = type(value)
        if kind is str:
            weight += len(value)
        elif kind is dict or kind is list:
            below.append(value)
        elif kind is float:
            if value - value != 0.0:
                raise CannotJudgeError("it reads a value that is not a finite number")
        elif kind is not int and kind is not bool and value is not None:
            raise CannotJudgeError("it reads a value of a type that conditions do not know")
    return weight


def _said(key: str) -> str:
    return key[1:] if key[:2] == "$$" else key


def _as_said(value: Any) -> Any:  # noqa: ANN401 -- any JSON-shaped value, of no more than 32 levels
    if isinstance(value, list):
        return [_as_said(part) for part in value]
    if not isinstance(value, dict):
        return value
    said = {_said(key): _as_said(part) for key, part in value.items()}
    if len(said) < len(value):
        raise CannotJudgeError("it reads two keys that are written the same")
    return said
