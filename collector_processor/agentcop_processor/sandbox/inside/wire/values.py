"""What may cross between host and box: plain values, as JSON that says of each what it was.

JSON's own types go as they are, in lists and in dicts with string keys. The others go as `{"$": TAG, "v": …}`: tuple,
set, frozenset, bytes, int beyond 63 bits, nan and the infinities, complex, dict with other keys or a key "$", Decimal,
UUID, date, time, datetime with no zone or a fixed offset, timedelta. Exact types only: an enum's member, a named tuple
or a subclass of str would come back as something else, so they do not go at all.
"""

from __future__ import annotations

import sys

from .library import TABLE, Unsendable, type_name, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType
    from typing import Any

__all__ = ["MAX_DEPTH", "MAX_VALUES", "Unsendable", "decode", "encode"]

MAX_DEPTH = 100
"""Values in values."""
MAX_VALUES = 1_000_000
"""A list that holds itself many times over is small here and huge as JSON."""
_MAX_ALIKE = 64  # members of one set with equal hashes: more are made to keep whoever reads them busy
_PLAIN_INT = 1 << 63
_SHOWN = 60  # characters of a key
_PAIR = 2


def encode(value: object, name: str = "value") -> object:
    """What `frames.dumps` writes. Raises Unsendable, in which the value is called `name`; runs none of its code."""
    try:
        return _encode(value, MAX_DEPTH, [MAX_VALUES])
    except Unsendable as error:
        raise error.within(name) from None


def decode(data: object) -> object:
    """The value. `data` is what hostile JSON said: raises ValueError only, and builds nothing but the types above."""
    try:
        return _decode(data, MAX_DEPTH)
    except (TypeError, OverflowError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"no value: {type(error).__name__}") from None


def _encode(value: Any, depth: int, left: list[int]) -> object:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -_PLAIN_INT <= value < _PLAIN_INT else _tagged("int", hex(value))
    if kind is float:
        return value if value - value == 0 else _tagged("float", repr(value))
    if depth == 0:
        raise Unsendable(f"something nested more than {MAX_DEPTH} deep")
    write = _WRITERS.get(kind)
    return _of_library(value) if write is None else write(value, depth, left)


def _tagged(tag: str, value: object) -> dict[str, object]:
    return {"$": tag, "v": value}


def _of_library(value: Any) -> object:
    kind = type(value)
    for tag, (module, name, parts, _) in TABLE.items():
        if kind is getattr(sys.modules.get(module), name, None):  # a module that was not imported made no value
            return _tagged(tag, parts(value))
    raise Unsendable(f"a value of type {type_name(kind)}")


def _each(values: Sequence[Any], depth: int, left: list[int], step: str = "") -> list[object]:
    """Each encoded; where one cannot be, its place is `step`, or its index."""
    _count(len(values), left)
    encoded = []
    for index, item in enumerate(values):
        try:
            encoded.append(_encode(item, depth - 1, left))
        except Unsendable as error:
            raise error.inside(step or f"[{index}]") from None
    return encoded


def _write_set(value: Any, depth: int, left: list[int]) -> object:
    members = list(value)
    encoded = _each(members, depth, left, "{…}")
    if _alike(members):
        raise Unsendable("a set of too many members with one hash")
    return _tagged(type(value).__name__, encoded)


def _write_dict(value: dict[Any, Any], depth: int, left: list[int]) -> object:
    items = list(value.items())
    keys = [key for key, _ in items]
    if all(type(key) is str for key in keys) and "$" not in keys:
        _count(len(items), left)
        encoded = {}
        for key, item in items:
            try:
                encoded[key] = _encode(item, depth - 1, left)
            except Unsendable as error:
                raise error.inside(f"[{key[:_SHOWN]!r}]") from None
        return encoded
    pairs = zip(_each(keys, depth, left, "{…}"), _each([item for _, item in items], depth, left, "{…}"))
    if _alike(keys):
        raise Unsendable("a dict of too many keys with one hash")
    return _tagged("dict", [list(pair) for pair in pairs])


_WRITERS: dict[type, Callable[[Any, int, list[int]], object]] = {
    list: _each,
    dict: _write_dict,
    tuple: lambda value, depth, left: _tagged("tuple", _each(value, depth, left)),
    set: _write_set,
    frozenset: _write_set,
    bytes: lambda value, _, __: _tagged("bytes", _base64().b2a_base64(value, newline=False).decode("ascii")),
    complex: lambda value, depth, left: _tagged("complex", _each((value.real, value.imag), depth, left)),
}


def _base64() -> ModuleType:
    """The library of the machine that has it; few calls need it."""
    import binascii

    return binascii


def _count(more: int, left: list[int]) -> None:
    left[0] -= more
    if left[0] < 0:
        raise Unsendable(f"something of more than {MAX_VALUES} values")


def _alike(members: Iterable[Any]) -> bool:
    """Whether so many have one hash that a set of them takes its time; Python salts those of str and bytes itself."""
    hashes = sorted(hash(member) for member in members if type(member) is not str and type(member) is not bytes)
    return any(hashes[index] == hashes[index + _MAX_ALIKE] for index in range(len(hashes) - _MAX_ALIKE))


def _decode(data: Any, depth: int) -> Any:
    kind = type(data)
    if kind is str or kind is int or kind is float or kind is bool or data is None:
        return data
    if depth == 0:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if kind is list:
        return [_decode(item, depth - 1) for item in data]
    if "$" not in typed(data, dict):
        return {typed(key, str): _decode(item, depth - 1) for key, item in data.items()}
    tag, value = typed(data["$"], str), data.get("v")
    if data.keys() != {"$", "v"}:
        raise ValueError("not what a value is sent as")
    if tag in TABLE:
        module, _, _, make = TABLE[tag]
        return make(__import__(module), value)
    if tag in _READERS:
        return _READERS[tag](value, depth)
    raise ValueError("a kind of value that is not known")


def _members(value: Any, depth: int) -> list[Any]:
    members = [_decode(item, depth - 1) for item in typed(value, list)]
    if _alike(members):
        raise ValueError("too many members with one hash")
    return members


def _read_set(kind: type, value: Any, depth: int) -> Any:
    members = _members(value, depth)
    made = kind(members)
    if len(made) != len(members):
        raise ValueError("a member twice")
    return made


def _read_dict(value: Any, depth: int) -> dict[Any, Any]:
    pairs = [typed(pair, list) for pair in typed(value, list)]
    if any(len(pair) != _PAIR for pair in pairs):
        raise ValueError("no pair")
    keys = _members([key for key, _ in pairs], depth)
    made = dict(zip(keys, [_decode(item, depth - 1) for _, item in pairs]))
    if len(made) != len(keys):
        raise ValueError("a key twice")
    return made


def _read_float(value: Any, _depth: int) -> float:
    if typed(value, str) not in {"nan", "inf", "-inf"}:
        raise ValueError("a float that JSON has itself")
    return float(value)


def _read_complex(value: Any, depth: int) -> complex:
    real, imaginary = (typed(_decode(part, depth - 1), float) for part in typed(value, list))
    return complex(real, imaginary)


_READERS: dict[str, Callable[[Any, int], object]] = {
    "tuple": lambda value, depth: tuple([_decode(item, depth - 1) for item in typed(value, list)]),
    "set": lambda value, depth: _read_set(set, value, depth),
    "frozenset": lambda value, depth: _read_set(frozenset, value, depth),
    "bytes": lambda value, _: _base64().a2b_base64(typed(value, str)),
    "int": lambda value, _: int(typed(value, str), 16),
    "float": _read_float,
    "complex": _read_complex,
    "dict": _read_dict,
}
