"""What the engine knows of a value: where its text comes from, what was done to it, what it is."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from agentcop_scanner.rule import DANGERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentcop_scanner.engine.values.refs import Ref
    from agentcop_scanner.finding import Step

OriginKind = Literal["param", "self", "model", "request", "upload", "content", "operator", "unknown"]
"""`param`: of the function that is looked at. `self`: an attribute of its object. `model`: what a model wrote.

`request`: what came over the network. `upload`: the name a client gave a file. `content`: files, pages, rows, messages.
`operator`: environment, configuration, command line. `unknown`: anything else that is no constant.
"""

Marks = frozenset[str]
"""What a value can no longer do: `path` is cleared for good, `~path` by something that can be got round.

Whatever clears for good sets both, so that what two branches have in common is their plain intersection.
"""

NONE: Marks = frozenset()
ALL: Marks = frozenset(DANGERS) | frozenset(f"~{danger}" for danger in DANGERS)
WEAK: Marks = frozenset(f"~{danger}" for danger in DANGERS)
MAX_FIELDS = 3
MAX_TEXT = 400
MAX_DEPTH = 2
"""Of containers in containers."""
MAX_ORIGINS = 12
"""Of one value; more are folded into one that is unknown."""


def cleared(*dangers: str) -> Marks:
    """The marks of being clean of these dangers."""
    return frozenset(dangers) | frozenset(f"~{danger}" for danger in dangers)


def weakened(*dangers: str) -> Marks:
    """The marks of a check that can be got round."""
    return frozenset(f"~{danger}" for danger in dangers)


class Origin(NamedTuple):
    """Where text comes from."""

    kind: OriginKind
    name: str = ""
    """Of the parameter; of anything else what is shown to the reader."""
    function: str = ""
    """Qualified name of the function whose parameter it is."""
    line: int = 0
    fields: str = ""
    """What was read from it: `.request.path`, `.[]` for any element of a text that was split."""

    def field(self, name: str) -> Origin:
        """What is read from it under a name. Below a few fields all are one."""
        fields = self.fields
        if fields and fields.count(".") >= MAX_FIELDS:
            return self
        return Origin(self.kind, self.name, self.function, self.line, f"{fields}.{name}")

    @property
    def root(self) -> Origin:
        """The parameter itself, whatever field of it this is."""
        return Origin(self.kind, self.name, self.function, self.line) if self.fields else self

    @property
    def above(self) -> Origin:
        """What this was read from; itself if it was not."""
        return Origin(self.kind, self.name, self.function, self.line, self.fields.rpartition(".")[0])

    @property
    def all_above(self) -> tuple[Origin, ...]:
        """What this was read from, what that was read from, and so on."""
        return _all_above(self)

    @property
    def shown(self) -> str:
        """The origin with what was read from it."""
        return self.name + self.fields.replace(".[]", "[…]")


@lru_cache(maxsize=50_000)
def _all_above(origin: Origin) -> tuple[Origin, ...]:
    found: list[Origin] = []
    while origin.fields:
        origin = origin.above
        found.append(origin)
    return tuple(found)


UNKNOWN = Origin("unknown")


class Taint(NamedTuple):
    """What became of the text of one origin on its way into a value."""

    marks: Marks = NONE
    joined: bool = False
    """It is a piece of the value, after something else; else the value begins with it, or is it."""
    trail: tuple[Step, ...] = ()
    """The calls it came through."""


Taints = dict[Origin, Taint]
Facts = dict[Origin, Marks]
"""What a check has shown of an origin's text."""


class Value:
    """A value. Never changed once it is made."""

    __slots__ = ("const", "facts", "fields", "is_a", "items", "ref", "taints", "text")

    def __init__(  # noqa: PLR0913  # all that can be known of a value
        self,
        taints: Taints | None = None,
        *,
        is_a: str = "",
        const: object = None,
        text: str = "",
        items: tuple[Value, ...] | None = None,
        fields: Mapping[str, Value] | None = None,
        ref: Ref | None = None,
        facts: tuple[Facts, Facts] | None = None,
    ) -> None:
        self.taints: Taints = taints if taints is not None else {}
        self.is_a = is_a
        """Dotted name of its class, or of what it is a part of: `url:host`; "" if unknown."""
        self.const = const
        """The literal it is; None if it is none."""
        self.text = text
        """The literal pieces of a text that was put together, in order."""
        self.items = items
        """Of a list or tuple that was written out."""
        self.fields = fields
        """Of a dict that was written out, by its constant keys."""
        self.ref = ref
        """The function or class of the scanned tree that it is."""
        self.facts = facts
        """What is known of other text if this is true, and if it is false."""

    @property
    def is_constant(self) -> bool:
        """Whether no text in it comes from outside the program's own source."""
        return not self.taints

    def element(self) -> Value:
        """Any one element of it."""
        if self.items:
            return merge(self.items)
        if self.fields:
            return merge(tuple(self.fields.values()))
        if self.is_a == "tokens":  # a check of one piece of a text says nothing about the others
            return Value({origin.field("[]"): taint for origin, taint in self.taints.items()})
        return Value(self.taints, is_a=_ELEMENT.get(self.is_a, ""))

    def field(self, name: str) -> Value:
        """What is read from it under a name."""
        if self.fields is not None and name in self.fields:
            return self.fields[name]
        return Value({origin.field(name): taint for origin, taint in self.taints.items()})


_ELEMENT = {
    "paths": "pathlib.Path",
    "path:parents": "pathlib.Path",
    "ast": "ast",
    "tarfile.members": "tarfile.TarInfo",
    "urls": "urls",
}

CONSTANT = Value()


_NO_TAINT = Taint()


def unknown(is_a: str = "", line: int = 0) -> Value:
    """A value that nothing is known of; `line` tells it from others."""
    return Value({Origin("unknown", "", "", line) if line else UNKNOWN: _NO_TAINT}, is_a=is_a)


def literal(const: object) -> Value:
    """The value of a constant."""
    if const is None:
        return Value(is_a="None")
    return Value(const=const, text=const[:MAX_TEXT] if isinstance(const, str) else "")


def both(first: Taint, second: Taint) -> Taint:
    """The text of one origin that came two ways."""
    if first == second:
        return first
    return Taint(first.marks & second.marks, first.joined or second.joined, first.trail or second.trail)


def add(into: Taints, taints: Taints) -> None:
    """Adds the second to the first, in place."""
    for origin, taint in taints.items():
        known = into.get(origin)
        if known is None:
            if len(into) < MAX_ORIGINS:
                into[origin] = taint
            else:
                into[UNKNOWN] = both(into.get(UNKNOWN, taint), taint)
        elif known != taint:
            into[origin] = both(known, taint)


def merge(values: Iterable[Value], depth: int = 0) -> Value:
    """A value that is any one of these. Of lists in lists in lists nothing is told apart: two levels are."""
    given = list(values)
    if not given:
        return CONSTANT
    first = given[0]
    if len(given) == 1 or all(value is first for value in given):
        return first
    taints: Taints = {}
    for value in given:
        add(taints, value.taints)
    types = {value.is_a for value in given if not (value.const is None and value.is_constant and not value.is_a)}
    items = _merged_items(given, depth + 1) if depth < MAX_DEPTH else None
    fields: dict[str, Value] | None = None
    for value in given:
        if value.fields:
            fields = {**(fields or {}), **value.fields}
    return Value(
        taints,
        is_a=types.pop() if len(types) == 1 else "",
        const=first.const if all(value.const == first.const for value in given) else None,
        text=max((value.text for value in given), key=len),
        items=items,
        fields=fields,
        ref=first.ref or next((value.ref for value in given if value.ref), None),
    )


def _merged_items(given: list[Value], depth: int) -> tuple[Value, ...] | None:
    """The items of a list that is any one of these: the longest, each item merged with those at its place."""
    lists = [value.items for value in given if value.items is not None]
    if not lists or len(lists) != len([value for value in given if value.taints or value.items is not None]):
        return None
    longest = max(lists, key=len)
    return tuple(merge([entry[at] for entry in lists if at < len(entry)], depth) for at in range(len(longest)))


def combined(values: Iterable[Value], is_a: str = "") -> Value:
    """A value made of all of these in a way that is not known."""
    taints: Taints = {}
    for value in values:
        add(taints, value.taints)
    return Value(taints, is_a=is_a)


def marked(value: Value, marks: Marks, is_a: str | None = None) -> Value:
    """The value after something that clears these marks."""
    if not value.taints:
        return Value(is_a=is_a or value.is_a, const=value.const, text=value.text)
    taints = {origin: taint._replace(marks=taint.marks | marks) for origin, taint in value.taints.items()}
    return Value(taints, is_a=value.is_a if is_a is None else is_a, text=value.text, items=value.items)


def as_piece(taints: Taints, marks: Marks = NONE) -> Taints:
    """The taints of a piece that stands after something else."""
    return {origin: Taint(taint.marks | marks, joined=True, trail=taint.trail) for origin, taint in taints.items()}
