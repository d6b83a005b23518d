"""Arguments of every kind: strategies for generated ones, and hostile values that a test hands in."""

from __future__ import annotations

from hypothesis import strategies as st

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | UNICODE
KEYS = UNICODE | st.sampled_from(["$bytes", "$$bytes", "$opaque", "$int", "$float", "$key:1", "$"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)
HASHABLE = (
    SCALARS | st.binary() | st.decimals(allow_nan=False) | st.uuids() | st.datetimes() | st.dates() | st.timedeltas()
)


def _view(held: bytes) -> memoryview:
    return memoryview(held)


ANYTHING = st.recursive(
    HASHABLE | st.times() | st.binary().map(bytearray) | st.binary().map(_view) | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(HASHABLE, max_size=3)
        | st.frozensets(HASHABLE, max_size=3)
    ),
    max_leaves=15,
)


class Loud(str):
    """Says something else each time anybody asks."""

    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("asked")

    __repr__ = __eq__ = __hash__ = __len__ = __iter__ = __format__ = __reduce_ex__ = __str__  # type: ignore[assignment]


class Twin(str):
    """A key that says it equals no other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 1


def a_loop() -> object:
    loop: list[object] = []
    loop.append(loop)
    return loop
