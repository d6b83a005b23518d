"""Values with parts: how each kind of container is copied, part by part.

Every function gives the copy that runs and its JSON-shaped form; None if the container cannot be copied without
running code of its class or of a part's class, so that it has to stand as a live object.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentcop_core.canonical.leaves import KEYS, Pair
from agentcop_core.canonical.state import ancestry, defines, is_enum, is_model, layout, read_state, rebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from agentcop_core.canonical.walk import Walk

_Items = tuple[list[Pair], dict[str, object]]


def _items(walk: Walk, items: Collection[tuple[object, object]], depth: int) -> _Items | None:
    """Copied pairs and plain object of a mapping's items; None if a key is a live object."""
    walk.charge(2 * len(items))
    pairs: list[Pair] = []
    plain: dict[str, object] = {}
    for key, value in list(items):
        keyed = _key(walk, key, depth)
        if keyed is None:
            return None
        exact, shown = keyed
        if shown in plain:
            raise walk.refusal("has two keys that read the same")
        copy, plain[shown] = walk.pair(value, depth + 1)
        pairs.append((exact, copy))
    return pairs, plain


def _key(walk: Walk, key: object, depth: int) -> tuple[object, str] | None:
    if type(key) is str:
        return key, walk.name(key)
    before = walk.live
    exact, plain = walk.pair(key, depth + 1)
    if walk.live != before or not _hashable(exact):
        return None
    if type(exact) is str:
        return exact, walk.name(exact)
    shown = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    return exact, f"$key:{shown.decode()}"


def _hashable(exact: Any) -> bool:  # noqa: ANN401 -- a copy of any kind
    """Whether hashing a copied value runs Python's own code only; an Enum's hash is trusted."""
    kind = type(exact)
    if kind is tuple or kind is frozenset:
        return all(_hashable(part) for part in exact)
    return (type(kind) is type and kind in KEYS) or is_enum(ancestry(kind))


def _dict(walk: Walk, value: dict[object, object], depth: int) -> Pair | None:
    items = _items(walk, dict.items(value), depth)
    return items and (dict(items[0]), items[1])


def _ordered(walk: Walk, value: OrderedDict[object, object], depth: int) -> Pair | None:
    items = _items(walk, OrderedDict.items(value), depth)
    return items and (OrderedDict(items[0]), items[1])


def _defaulting(walk: Walk, value: defaultdict[object, object], depth: int) -> Pair | None:
    items = _items(walk, dict.items(value), depth)
    return items and (defaultdict(value.default_factory, items[0]), items[1])


def _parts(walk: Walk, parts: list[object], depth: int) -> tuple[list[object], list[object]]:
    pairs = [walk.pair(part, depth + 1) for part in parts]
    return [value for value, _ in pairs], [plain for _, plain in pairs]


def _list(walk: Walk, value: list[object], depth: int) -> Pair:
    walk.charge(list.__len__(value))
    return _parts(walk, list.copy(value), depth)


def _tuple(walk: Walk, value: tuple[object, ...], depth: int) -> Pair:
    walk.charge(tuple.__len__(value))
    values, plain = _parts(walk, list(tuple.__iter__(value)), depth)
    return tuple(values), plain


def _members(walk: Walk, parts: list[object], depth: int) -> tuple[list[object], list[object]] | None:
    before = walk.live
    values, plain = _parts(walk, parts, depth)
    if walk.live != before or not all(map(_hashable, values)):
        return None
    plain.sort(key=lambda part: orjson.dumps(part, option=orjson.OPT_SORT_KEYS))
    return values, plain


def _set(walk: Walk, value: set[object], depth: int) -> Pair | None:
    walk.charge(set.__len__(value))
    members = _members(walk, list(set.__iter__(value)), depth)
    return members and (set(members[0]), members[1])


def _frozenset(walk: Walk, value: frozenset[object], depth: int) -> Pair | None:
    walk.charge(frozenset.__len__(value))
    members = _members(walk, list(frozenset.__iter__(value)), depth)
    return members and (frozenset(members[0]), members[1])


CONTAINERS: Final[dict[type, Callable[[Walk, Any, int], Pair | None]]] = {
    dict: _dict,
    OrderedDict: _ordered,
    defaultdict: _defaulting,
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
}

_FILL: Final[dict[type, Callable[[Any, Any], None]]] = {dict: dict.update, list: list.extend, set: set.update}
_ANY: Final = frozenset({"__getattribute__", "__getitem__", "__iter__", "__len__", "__contains__", "__eq__", "copy"})
_READS: Final[dict[type, frozenset[str]]] = {
    dict: _ANY | {"__reversed__", "__or__", "get", "items", "keys", "values", "pop", "popitem", "setdefault"},
    list: _ANY | {"__reversed__", "__add__", "index", "count", "pop"},
    tuple: _ANY | {"__add__", "index", "count"},
    set: _ANY | {"__and__", "__or__", "__sub__", "pop"},
    frozenset: _ANY | {"__and__", "__or__", "__sub__"},
}
"""Methods by which a body reads a container: where a class has its own, its contents are not what the body sees."""


def copy_subclass(walk: Walk, value: Any, kind: type, depth: int) -> Pair | None:  # noqa: ANN401 -- any container
    """An instance of a subclass of dict, list, tuple, set or frozenset, made by the base's own `__new__`.

    None if it is no such instance, holds more than its parts, or has code of its own for reading them: that would
    answer the body as it likes, whatever was judged.
    """
    order = ancestry(kind)
    base: Any = layout(order)
    if base not in (dict, list, tuple, set, frozenset) or defines(order, _READS[base], before=base, known=Counter):
        return None
    state = read_state(value, order)
    if state is None or state.slots or state.attributes:
        return None
    pair = CONTAINERS[base](walk, value, depth)
    if pair is None:
        return None
    values, plain = pair
    fill = _FILL.get(base)
    if fill is None:
        return base.__new__(kind, values), plain
    made = base.__new__(kind)
    fill(made, values)
    return made, plain


def copy_record(walk: Walk, value: object, kind: type, depth: int) -> Pair | None:
    """A dataclass instance or pydantic model, rebuilt from all the state it holds, fields or not."""
    state = read_state(value, ancestry(kind))
    if state is None or not state.slots.keys().isdisjoint(state.attributes):
        return None
    held = {**state.attributes, **{name: part for name, (_, part) in state.slots.items()}}
    items = _items(walk, held.items(), depth)
    if items is None:
        return None
    pairs, plain = items
    made = rebuild(kind, state, {str(name): part for name, part in pairs})
    if made is None:
        return None
    return made, _flat(walk, plain) if is_model(ancestry(kind)) else plain


def _flat(walk: Walk, plain: dict[str, object]) -> dict[str, object]:
    """A model's fields, extras and private attributes side by side, as its user names them."""
    plain.pop("__pydantic_fields_set__", None)
    for held in ("__pydantic_extra__", "__pydantic_private__"):
        parts = plain.pop(held, None)
        if type(parts) is not dict:
            continue
        if not plain.keys().isdisjoint(parts):
            raise walk.refusal("has two keys that read the same")
        plain.update(parts)
    return plain
