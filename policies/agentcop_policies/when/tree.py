"""What a checked CEL expression reads, from its own syntax tree.

The tree is the protobuf message `cel.expr.CheckedExpr` that the CEL library serialises. Only the fields needed are
read, by hand: the field numbers below are the published ones of that message, and protobuf's runtime costs more to
import than the rest of the policy language. An unknown shape counts as reading everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_ANY_TYPE, _ANY_VALUE = 1, 2
_CHECKED_EXPR = 4
_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9
_TEST_ONLY = 3
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Fields = list[tuple[int, "bytes | int"]]


@dataclass(slots=True, kw_only=True)
class Reads:
    """What an expression reads. `whole` names the variables used other than by a member known from the text."""

    variables: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    members: dict[str, set[str]] = field(default_factory=dict)
    """Variable → the top-level members read from it: `args.x`, `args["x"]`, `has(args.x)`, `"x" in args`."""
    counted: set[str] = field(default_factory=set)
    """Tool names read as `session.calls_by_tool.NAME` or `…["NAME"]`."""
    calls: list[tuple[str, tuple[str | list[str] | None, ...]]] = field(default_factory=list)
    """Functions called, with the arguments that are literal strings or lists of them, None for the others."""


def reads(serialized: bytes) -> Reads:
    """Walk a CheckedExpr, serialized inside a google.protobuf.Any. Raises ValueError if it is not one."""
    found = Reads()
    try:
        outer = _fields(serialized)
        if not _text(outer, _ANY_TYPE).endswith("/cel.expr.CheckedExpr"):
            raise ValueError("not a checked expression")
        (root,) = _all(_fields(_all(outer, _ANY_VALUE)[0]), _CHECKED_EXPR)
        _walk(root, frozenset(), found)
    except (IndexError, UnicodeDecodeError) as fault:
        raise ValueError("not a checked expression") from fault
    return found


def _fields(message: bytes) -> Fields:
    found: Fields = []
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            number, at = _varint(message, at)
            found.append((key >> 3, number))
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("unknown wire type")
        if at + size > len(message):
            raise ValueError("cut short")
        found.append((key >> 3, message[at : at + size]))
        at += size
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 -- the continuation bit
            return number, at
        shift += 7


def _message(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message stands")  # noqa: TRY004 -- a malformed message, as the others
    return value


def _kind(expression: bytes) -> tuple[int, Fields]:
    """The kind of one Expr and the fields of that kind's message; (0, []) for an unset one."""
    for number, value in _fields(expression):
        if _CONST <= number <= _COMPREHENSION:
            return number, _fields(_message(value))
    return 0, []


def _text(fields: Fields, number: int) -> str:
    return next((_message(value).decode() for at, value in fields if at == number), "")


def _all(fields: Fields, number: int) -> list[bytes]:
    return [_message(value) for at, value in fields if at == number]


def _literal(expression: bytes) -> str | list[str] | None:
    kind, fields = _kind(expression)
    if kind == _CONST:
        return next((_message(value).decode() for at, value in fields if at == 6), None)  # noqa: PLR2004 -- string_value
    if kind == _LIST:
        items = [_literal(item) for item in _all(fields, 1)]
        texts = [item for item in items if isinstance(item, str)]
        return texts if len(texts) == len(items) else None
    return None


def _variable(expression: bytes, bound: frozenset[str]) -> str:
    """The name, if the expression is a variable of ours that no macro has shadowed; else ""."""
    kind, fields = _kind(expression)
    name = _text(fields, 1) if kind == _IDENT else ""
    # A leading dot reaches past the macros' variables.
    return name.removeprefix(".") if name.startswith(".") or name not in bound else ""


def _member(expression: bytes, bound: frozenset[str]) -> tuple[str, str]:
    """`("args", "x")` for `args.x`, `args["x"]` and `"x" in args`; ("", "") for anything else."""
    kind, fields = _kind(expression)
    if kind == _SELECT:
        return _variable(_all(fields, 1)[0], bound), _text(fields, 2)
    if kind == _CALL:
        function, arguments = _text(fields, 2), _all(fields, 3)
        if function in ("_[_]", "@in") and len(arguments) == 2:  # noqa: PLR2004 -- a map and a key
            container, key = arguments if function == "_[_]" else reversed(arguments)
            literal = _literal(key)
            if isinstance(literal, str):
                return _variable(container, bound), literal
    return "", ""


def _walk(expression: bytes, bound: frozenset[str], found: Reads) -> None:
    variable, member = _member(expression, bound)
    if variable:
        found.variables.add(variable)
        found.members.setdefault(variable, set()).add(member)
        return
    kind, fields = _kind(expression)
    if kind == _IDENT:
        name = _variable(expression, bound)
        found.variables.update([name] if name else [])
        found.whole.update([name] if name else [])
    elif kind == _SELECT and not any(number == _TEST_ONLY for number, _ in fields):
        _count(_all(fields, 1)[0], _text(fields, 2), bound, found)
    elif kind == _CALL:
        literals = tuple(_literal(argument) for argument in _all(fields, 3))
        found.calls.append((_text(fields, 2), literals))
        if _text(fields, 2) == "_[_]" and isinstance(literals[1], str):
            _count(_all(fields, 3)[0], literals[1], bound, found)
    for part, names in _parts(kind, fields, bound):
        _walk(part, names, found)


def _parts(kind: int, fields: Fields, bound: frozenset[str]) -> list[tuple[bytes, frozenset[str]]]:
    """The expressions inside one, each with the names that macros have bound there."""
    if kind in (_CONST, _IDENT):
        return []
    if kind in (_SELECT, _LIST):
        return [(part, bound) for part in _all(fields, 1)]
    if kind == _CALL:
        return [(part, bound) for part in (*_all(fields, 1), *_all(fields, 3))]
    if kind == _STRUCT:
        entries = [_fields(entry) for entry in _all(fields, 2)]
        return [(part, bound) for entry in entries for part in (*_all(entry, 3), *_all(entry, 4))]
    if kind == _COMPREHENSION:
        inner = bound | {_text(fields, 1), _text(fields, 3), _text(fields, 8)}
        outside = [(part, bound) for part in (*_all(fields, 2), *_all(fields, 4))]
        return outside + [(part, inner) for number in (5, 6, 7) for part in _all(fields, number)]
    raise ValueError("an expression of unknown kind")


def _count(container: bytes, key: str, bound: frozenset[str], found: Reads) -> None:
    if _member(container, bound) == ("session", "calls_by_tool"):
        found.counted.add(key)
