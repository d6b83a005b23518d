"""The standard library's own values that may cross: a table of what is sent of each, and how it is made from that."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Any

_SHOWN = 120  # characters of a type's name
_STEPS = 10  # of the way to what cannot cross


class Unsendable(ValueError):  # noqa: N818 -- an answer, not a fault
    """A value that cannot cross: `str` says what it is, and where in the whole."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._place = ""
        self._steps = 0
        super().__init__(what)

    def inside(self, step: str) -> Unsendable:
        """The same, of what holds it."""
        self._steps += 1
        if self._steps <= _STEPS:
            self._place = step + self._place
        return self

    def within(self, name: str) -> Unsendable:
        """The same, of the whole."""
        self._place = name + ("[…]" if self._steps > _STEPS else "") + self._place
        return self

    def __str__(self) -> str:
        return f"{self._what} at {self._place}"


def type_name(kind: type) -> str:
    """Module and name, the end of it if it is long; for a message."""
    try:
        name = f"{kind.__module__}.{kind.__qualname__}"
    except Exception:  # a metaclass may answer anything
        name = "without a name"
    return name if len(name) <= _SHOWN else "…" + name[-_SHOWN:]


def typed(value: Any, kind: type) -> Any:
    """The value, if it is exactly of that type. Raises ValueError."""
    if type(value) is not kind:
        raise ValueError(f"no {kind.__name__}")
    return value


def _numbers(value: Any, count: int) -> list[int]:
    """So many ints at the list's beginning."""
    if len(typed(value, list)) < count:
        raise ValueError("a part is missing")
    return [typed(number, int) for number in value[:count]]


def _of_zone(value: dt.datetime | dt.time) -> list[object]:
    """Offset in microseconds and the name that was given it; two Nones without a zone."""
    import datetime as dt

    zone = value.tzinfo
    if zone is None:
        return [None, None]
    if type(zone) is not dt.timezone:
        raise Unsendable(f"a {type(value).__name__} whose zone is a {type_name(type(zone))}, no fixed offset,")
    offset = zone.utcoffset(None)
    name = zone.tzname(None)
    return [offset // dt.timedelta(microseconds=1), None if name == dt.timezone(offset).tzname(None) else name]


def _zone(library: Any, offset: Any, name: Any) -> object:
    if offset is None and name is None:
        return None
    delta = library.timedelta(microseconds=typed(offset, int))
    return library.timezone(delta) if name is None else library.timezone(delta, typed(name, str))


def _of_time(value: dt.datetime | dt.time) -> list[object]:
    return [value.hour, value.minute, value.second, value.microsecond, value.fold, *_of_zone(value)]


def _time(library: Any, value: Any) -> object:
    *parts, fold = _numbers(value, 5)
    offset, name = value[5:]
    return library.time(*parts, _zone(library, offset, name), fold=fold)


def _of_datetime(value: dt.datetime) -> list[object]:
    return [value.year, value.month, value.day, *_of_time(value)]


def _datetime(library: Any, value: Any) -> object:
    *parts, fold = _numbers(value, 8)
    offset, name = value[8:]
    return library.datetime(*parts, _zone(library, offset, name), fold=fold)


def _of_date(value: dt.date) -> list[object]:
    return [value.year, value.month, value.day]


def _date(library: Any, value: Any) -> object:
    return library.date(*_numbers(value, 3))


def _of_timedelta(value: dt.timedelta) -> list[object]:
    return [value.days, value.seconds, value.microseconds]


def _timedelta(library: Any, value: Any) -> object:
    return library.timedelta(*_numbers(value, 3))


def _decimal(library: Any, value: Any) -> object:
    return library.Decimal(typed(value, str))


def _uuid(library: Any, value: Any) -> object:
    return library.UUID(hex=typed(value, str))


TABLE: dict[str, tuple[str, str, Callable[[Any], object], Callable[[Any, Any], object]]] = {
    "date": ("datetime", "date", _of_date, _date),
    "datetime": ("datetime", "datetime", _of_datetime, _datetime),
    "time": ("datetime", "time", _of_time, _time),
    "timedelta": ("datetime", "timedelta", _of_timedelta, _timedelta),
    "decimal": ("decimal", "Decimal", str, _decimal),
    "uuid": ("uuid", "UUID", lambda value: value.hex, _uuid),
}
"""By tag: the module, the type's name in it, from a value to what is sent, and from the module and that to a value."""
