"""What may cross between host and box: plain values, as JSON that says of each what it was.

JSON's own types go as they are, in lists and in dicts with string keys. The others go as `{"$": TAG, "v": …}`: tuple,
set, frozenset, bytes, int beyond 63 bits, nan and the infinities, complex, dict with other keys or a key "$", Decimal,
UUID, date, time, datetime with no zone or a fixed offset, timedelta. Exact types only: an enum's member, a named tuple
or a subclass of str would come back as something else, so they do not go at all.
"""

from __future__ import annotations

import binascii
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable
    from typing import Any

MAX_DEPTH = 100
"""Values in values."""
MAX_VALUES = 1_000_000
"""A list that holds itself many times over is small here and huge as JSON."""
_MAX_ALIKE = 64  # members of one set with equal hashes: more are made to keep whoever reads them busy
_PLAIN_INT = 1 << 63
_SHOWN = 60


class Unsendable(ValueError):  # noqa: N818 -- an answer, not a fault
    """This value cannot cross: `str` says what it is, and where in the whole."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._place = ""
        self._steps = 0
        super().__init__(what)

    def inside(self, step: str) -> Unsendable:
        """The same, of what holds it."""
        self._steps += 1
        if self._steps <= 10:
            self._place = step + self._place
        return self

    def __str__(self) -> str:
        more = "…" if self._steps > 10 else ""
        return f"{self._what} at {more}{self._place}"


def encode(value: object, name: str = "value") -> object:
    """What `frames.dumps` writes. Raises Unsendable, in which the value is called `name`; runs none of its code."""
    try:
        return _encode(value, MAX_DEPTH, [MAX_VALUES])
    except Unsendable as error:
        raise error.inside(name) from None


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
    if kind is list:
        return _each(value, depth, left)
    if kind is dict:
        return _dict(value, depth, left)
    if kind is tuple:
        return _tagged("tuple", _each(value, depth, left))
    if kind is set or kind is frozenset:
        return _set(kind.__name__, list(value), depth, left)
    if kind is bytes:
        return _tagged("bytes", binascii.b2a_base64(value, newline=False).decode("ascii"))
    if kind is complex:
        return _tagged("complex", _each((value.real, value.imag), depth, left))
    for tag, (module, name, parts, _) in _LIBRARY.items():
        if kind is getattr(sys.modules.get(module), name, None):  # not imported: then this is none of it
            return _tagged(tag, parts(value))
    raise Unsendable(f"a value of type {_type_name(kind)}")


def _tagged(tag: str, value: object) -> dict[str, object]:
    return {"$": tag, "v": value}


def _each(values: list[Any] | tuple[Any, ...], depth: int, left: list[int], step: str = "") -> list[object]:
    _count(len(values), left)
    encoded = []
    for index, item in enumerate(values):
        try:
            encoded.append(_encode(item, depth - 1, left))
        except Unsendable as error:
            raise error.inside(step or f"[{index}]") from None
    return encoded


def _set(tag: str, members: list[Any], depth: int, left: list[int]) -> object:
    encoded = _each(members, depth, left, "{…}")
    if _alike(members):
        raise Unsendable("a set of too many members with one hash")
    return _tagged(tag, encoded)


def _dict(value: dict[Any, Any], depth: int, left: list[int]) -> object:
    items = list(value.items())
    if "$" not in value and all(type(key) is str for key in value):
        _count(len(items), left)
        encoded = {}
        for key, item in items:
            try:
                encoded[key] = _encode(item, depth - 1, left)
            except Unsendable as error:
                raise error.inside(_step(key)) from None
        return encoded
    keys = _each([key for key, _ in items], depth, left, "{…}")
    values = _each([item for _, item in items], depth, left, "{…}")
    if _alike(value):
        raise Unsendable("a dict of too many keys with one hash")
    return _tagged("dict", [list(pair) for pair in zip(keys, values)])  # noqa: B905 -- Python 3.9 has no strict


def _count(more: int, left: list[int]) -> None:
    left[0] -= more
    if left[0] < 0:
        raise Unsendable(f"something of more than {MAX_VALUES} values")


def _step(key: str) -> str:
    return f"[{key!r}]" if len(key) <= _SHOWN else f"[{key[:_SHOWN]!r}…]"


def _type_name(kind: type) -> str:
    try:
        name = f"{kind.__module__}.{kind.__qualname__}"
    except Exception:  # a metaclass may answer anything
        name = "without a name"
    return name[:_SHOWN]


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
    if kind is not dict:
        raise ValueError("no JSON")
    if "$" not in data:
        return {_typed(key, str): _decode(item, depth - 1) for key, item in data.items()}
    tag, value = data["$"], data.get("v")
    if len(data) != 2 or type(tag) is not str:
        raise ValueError("not what a value is sent as")
    if tag in _LIBRARY:
        module, _, _, build = _LIBRARY[tag]
        return build(__import__(module), value)
    if tag in _BUILDERS:
        return _BUILDERS[tag](value, depth)
    raise ValueError("a kind of value that is not known")


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"no {kind.__name__}")
    return value


def _members(value: Any, depth: int) -> list[Any]:
    members = [_decode(item, depth - 1) for item in _typed(value, list)]
    if _alike(members):
        raise ValueError("too many members with one hash")
    return members


def _unique(made: Any, members: list[Any]) -> Any:
    if len(made) != len(members):
        raise ValueError("a member twice")
    return made


def _build_set(kind: type, value: Any, depth: int) -> Any:
    members = _members(value, depth)
    return _unique(kind(members), members)


def _build_dict(value: Any, depth: int) -> dict[Any, Any]:
    pairs = [_typed(pair, list) for pair in _typed(value, list)]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("no pair")
    keys = _members([key for key, _ in pairs], depth)
    values = [_decode(item, depth - 1) for _, item in pairs]
    return dict(_unique(dict(zip(keys, values)), keys))  # noqa: B905 -- as long as each other


def _build_float(value: Any, _depth: int) -> float:
    if value not in {"nan", "inf", "-inf"}:
        raise ValueError("a float that JSON has itself")
    return float(value)


def _build_complex(value: Any, depth: int) -> complex:
    real, imaginary = (_typed(_decode(part, depth - 1), float) for part in _typed(value, list))
    return complex(real, imaginary)


_BUILDERS: dict[str, Callable[[Any, int], object]] = {
    "tuple": lambda value, depth: tuple(_decode(item, depth - 1) for item in _typed(value, list)),
    "set": lambda value, depth: _build_set(set, value, depth),
    "frozenset": lambda value, depth: _build_set(frozenset, value, depth),
    "bytes": lambda value, _: binascii.a2b_base64(_typed(value, str)),
    "int": lambda value, _: int(_typed(value, str), 16),
    "float": _build_float,
    "complex": _build_complex,
    "dict": _build_dict,
}


def _zone(value: datetime.datetime | datetime.time) -> list[object]:
    """Offset in microseconds and the name that was given it; two Nones without a zone."""
    import datetime

    zone = value.tzinfo
    if zone is None:
        return [None, None]
    if type(zone) is not datetime.timezone:
        raise Unsendable(f"a {type(value).__name__} in a zone of type {_type_name(type(zone))}, not of a fixed offset,")
    offset = zone.utcoffset(None)
    named = zone.tzname(None)
    microseconds = offset // datetime.timedelta(microseconds=1)
    return [microseconds, None if named == datetime.timezone(offset).tzname(None) else named]


def _build_zone(library: Any, offset: Any, name: Any) -> object:
    if offset is None and name is None:
        return None
    delta = library.timedelta(microseconds=_typed(offset, int))
    return library.timezone(delta) if name is None else library.timezone(delta, _typed(name, str))


def _numbers(value: Any, count: int) -> list[int]:
    if len(_typed(value, list)) < count:
        raise ValueError("a part is missing")
    return [_typed(number, int) for number in value[:count]]


def _build_datetime(library: Any, value: Any) -> object:
    *parts, fold = _numbers(value, 8)
    _, _, _, _, _, _, _, _, offset, name = value
    return library.datetime(*parts, _build_zone(library, offset, name), fold=fold)


def _build_time(library: Any, value: Any) -> object:
    *parts, fold = _numbers(value, 5)
    _, _, _, _, _, offset, name = value
    return library.time(*parts, _build_zone(library, offset, name), fold=fold)


def _of_time(value: datetime.time | datetime.datetime) -> list[object]:
    return [value.hour, value.minute, value.second, value.microsecond, value.fold, *_zone(value)]


# tag: the module, the type's name there, what is sent of it, and how it is made from that
_LIBRARY: dict[str, tuple[str, str, Callable[[Any], object], Callable[[Any, Any], object]]] = {
    "date": ("datetime", "date", lambda v: [v.year, v.month, v.day], lambda lib, v: lib.date(*_numbers(v, len(v)))),
    "datetime": ("datetime", "datetime", lambda v: [v.year, v.month, v.day, *_of_time(v)], _build_datetime),
    "time": ("datetime", "time", _of_time, _build_time),
    "timedelta": (
        "datetime",
        "timedelta",
        lambda v: [v.days, v.seconds, v.microseconds],
        lambda lib, v: lib.timedelta(*_numbers(v, 3)),
    ),
    "decimal": ("decimal", "Decimal", str, lambda lib, v: lib.Decimal(_typed(v, str))),
    "uuid": ("uuid", "UUID", lambda v: v.hex, lambda lib, v: lib.UUID(hex=_typed(v, str))),
}
