"""Freeze a call's arguments, and name the frozen call by a digest: what is judged is what runs.

`freeze` copies; the tool's body must receive `Arguments.values` and nothing else. The canonical form is JSON with
sorted keys. Numbers that are equal but of different type (1, 1.0, True; 0.0, -0.0) stay apart; tuples, lists and sets
read the same; strings are compared as given, not normalised. What JSON cannot say is tagged, and no user's key can
forge a tag, because a key that begins with `$` is written with one more:

| in the arguments | in `plain` and `canonical` |
|---|---|
| bytes, bytearray, memoryview | `{"$bytes": {"sha256": "…", "length": 3}}` |
| nan, inf, -inf | `{"$float": "nan"}` |
| an integer beyond 64 bits | `{"$int": "18446744073709551616"}`, beyond 2048 bits in hex |
| a key that is no string | `"$key:1"`: the key's own canonical form |
| a user's key `$where` | `$$where` |
| Path, UUID, Decimal, date, time | its string, ISO 8601 for the last two; timedelta as `P1DT30.000000S` |
| Enum member | its value |
| set | a list, sorted by canonical form |
| dataclass, pydantic model | an object of all it holds |
| subclass of str, int, float, bytes | the value without the subclass, which is also what runs |
| anything else: a live object | `{"$opaque": "module.Type"}`; passes by reference, its argument is listed in `opaque` |
"""

from __future__ import annotations

import marshal
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from agentcop_core.canonical.refused import MAX_DEPTH, ArgumentRefused, exact_name, refusal
from agentcop_core.canonical.state import ancestry, derives, type_name
from agentcop_core.locks import IMPORTING
from agentcop_core.toolcall import Arguments

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["MAX_BYTES", "ArgumentRefused", "digest", "freeze", "redigest", "unchanged"]

MAX_BYTES: Final = 1_048_576

_STRICT: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)

_OTHER: Final = 0
_FLAT: Final = 1
_NESTED: Final = 2


def freeze(arguments: Mapping[str, object], *, max_bytes: int = MAX_BYTES, live: Collection[str] = ()) -> Arguments:
    """A private copy of `arguments` in its three forms; later changes to the original do not reach it.

    `max_bytes` bounds the canonical form and everything copied, and is checked before copying. `live` names arguments
    that the tool shares with its caller: they pass by reference and stand as live objects do. Raises ArgumentRefused
    and nothing else. Calls no method of a class that is not Python's own. Does not block.
    """
    try:
        given = _exact(arguments, max_bytes)
        if not live and 2 * len(given) <= max_bytes and (frozen := _quickly(dict(given), max_bytes)) is not None:
            return frozen
        return _thoroughly(given, max_bytes, live)
    except ArgumentRefused:
        raise
    except (MemoryError, RecursionError):
        # No call of ours here: there may be no room left for one.
        raise ArgumentRefused("the arguments need more memory or stack than there is") from None
    except Exception as fault:
        raise refusal(None, f"could not be copied ({type_name(type(fault))})") from None


def digest(tool: str, arguments: Arguments) -> str:
    """SHA-256 (hex) over the tool's canonical name and the canonical arguments."""
    # Canonical JSON escapes control characters: the last NUL is always the separator, whatever the name holds.
    return sha256(tool.encode("utf-8", "surrogatepass") + b"\0" + arguments.canonical).hexdigest()


def redigest(tool: str, values: Mapping[str, object], *, max_bytes: int = MAX_BYTES, live: Collection[str] = ()) -> str:
    """The digest of `values` as they are now: equal to the first digest unless something changed them since.

    Taken where the body starts. Raises ArgumentRefused; `max_bytes` and `live` must be what `freeze` was given.
    """
    return digest(tool, freeze(values, max_bytes=max_bytes, live=live))


def unchanged(arguments: Arguments, *, max_bytes: int = MAX_BYTES) -> bool:
    """Whether `arguments.values` are still what was judged: the same as comparing digests, mostly without hashing.

    `max_bytes` must be what `freeze` was given. Never raises: what can no longer be frozen has changed.
    """
    values = arguments.values
    try:
        if arguments.is_exact and type(values) is dict:
            try:
                if orjson.dumps(values, option=_STRICT) == arguments.canonical:
                    return True
            except (TypeError, ValueError):
                pass  # a value that the quick writer cannot say
        return freeze(values, max_bytes=max_bytes, live=arguments.live).canonical == arguments.canonical
    except Exception:
        return False


def _exact(arguments: Mapping[str, object], max_bytes: int) -> dict[str, object]:
    """`arguments` if it is exactly a dict, else what a mapping of Python's own holds."""
    if type(arguments) is dict:
        return arguments
    if type(arguments) is MappingProxyType:
        return dict(arguments)
    if not derives(ancestry(type(arguments)), dict):
        raise refusal(None, "are not a dict")
    inner = cast("dict[str, object]", arguments)
    size = dict.__len__(inner)
    if 2 * size > max_bytes:
        raise refusal(None, f"take over the limit of {max_bytes} bytes")
    # Not dict(inner) or inner.copy(): of a subclass they ask its methods.
    exact = {exact_name(name): value for name, value in dict.items(inner)}
    if len(exact) != size:
        raise refusal(None, "have two names that read the same")
    return exact


def _quickly(given: dict[str, object], max_bytes: int) -> Arguments | None:
    """Exact built-in values by C serialisers; None where the thorough walk is needed, be it only for its words."""
    shape = _measure(given, max_bytes)
    if shape == _OTHER:
        return None
    values = given
    try:
        if shape == _NESTED:  # not from the canonical form: its keys are sorted, and the body may care for their order
            values = marshal.loads(marshal.dumps(given))  # noqa: S302 -- reads the bytes it wrote, of measured values
        canonical = orjson.dumps(values, option=_STRICT)
    except (TypeError, ValueError):
        return None
    if b'"$' in canonical or len(canonical) > max_bytes:
        return None
    # Everything is made from one reading of the original, so a thread that changes it meanwhile changes nothing here.
    plain = dict(values) if shape == _FLAT else orjson.loads(canonical)
    # The writer makes `null` of a NaN, too: where it stands, equal bytes would prove nothing.
    return Arguments(values=values, plain=plain, canonical=canonical, is_exact=b"null" not in canonical)


def _measure(given: dict[str, object], budget: int) -> int:  # noqa: C901, PLR0911, PLR0912 -- laid out flat for speed
    """The shape of exact built-in values within the budget; `_OTHER` for all else.

    Level by level, so that sharing is charged as often as it occurs and depth costs no stack.
    """
    shape = _FLAT
    level: list[Any] = [given]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            budget -= 2 * len(node)
            if budget < 0:
                return _OTHER
            if type(node) is dict:
                for key, value in node.items():
                    if type(key) is not str:
                        return _OTHER
                    budget -= len(key)
                    kind = type(value)
                    if kind is str:
                        budget -= len(value)
                    elif kind is int or kind is bool or value is None:
                        continue
                    elif kind is float:
                        if value - value != 0.0:
                            return _OTHER
                    elif kind is dict or kind is list or kind is tuple:
                        below.append(value)
                    else:
                        return _OTHER
                continue
            for value in node:
                kind = type(value)
                if kind is str:
                    budget -= len(value)
                elif kind is int or kind is bool or value is None:
                    continue
                elif kind is float:
                    if value - value != 0.0:
                        return _OTHER
                elif kind is dict or kind is list or kind is tuple:
                    below.append(value)
                else:
                    return _OTHER
        if budget < 0:
            return _OTHER
        if not below:
            return shape
        shape = _NESTED
        level = below
    return _OTHER


def _thoroughly(given: dict[str, object], max_bytes: int, live: Collection[str] = ()) -> Arguments:
    # The first value that is not Python's own brings the walk with all the types it knows.
    with IMPORTING:
        from agentcop_core.canonical.walk import Walk

    walk = Walk(max_bytes, live)
    values, plain = walk.arguments(given)
    canonical = orjson.dumps(plain, option=_STRICT)
    if len(canonical) > max_bytes:
        raise refusal(None, f"take {len(canonical)} bytes, over the limit of {max_bytes}")
    return Arguments(values=values, plain=plain, canonical=canonical, opaque=tuple(walk.opaque), live=frozenset(live))
