"""YAML as a tree with places. Follows no tag, builds no object, expands no alias."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import yaml

from agentcop_scanner.data.node import MAX_CHARS, MAX_DEPTH, MAX_NODES, DataError, Entry, Node, Scalar
from agentcop_scanner.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUE: Final = frozenset({"true", "yes", "on"})
_FALSE: Final = frozenset({"false", "no", "off"})
_NULL: Final = frozenset({"", "~", "null"})
# The same events from C, ten times as fast, where PyYAML was built with it.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A list or mapping that is not closed yet."""

    event: yaml.Event
    mapping: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    key: Node | None = None


def read_yaml(text: str) -> Node:
    """The tree of a YAML text; of several documents in it, a list of them. Raises DataError."""
    if len(text) > MAX_CHARS:
        raise DataError(f"longer than {MAX_CHARS:,} characters")
    try:
        documents = list(_documents(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DataError(f"not YAML: {error.problem or 'malformed'} in line {mark.line + 1 if mark else 1}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise DataError("not YAML: a character that YAML does not allow") from error
    if len(documents) == 1:
        return documents[0]
    return Node(place=Place(line=1), items=tuple(documents))


def _documents(events: Iterator[yaml.Event]) -> Iterator[Node]:
    anchors: dict[str, Node] = {}
    opened: list[_Open] = []
    for count, event in enumerate(events):
        if count > MAX_NODES:
            raise DataError(f"more than {MAX_NODES:,} values")
        if isinstance(event, yaml.DocumentStartEvent):
            anchors.clear()
        done = _begun_or_done(event, opened, anchors)
        if done is None:
            continue
        if opened:
            _put(opened[-1], done)
        else:
            yield done


def _begun_or_done(event: yaml.Event, opened: list[_Open], anchors: dict[str, Node]) -> Node | None:
    """The node that an event completes; None if it begins one, or is about the document."""
    if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        if len(opened) >= MAX_DEPTH:
            raise DataError(f"nested deeper than {MAX_DEPTH}")
        mapping = isinstance(event, yaml.MappingStartEvent)
        opened.append(_Open(event=event, mapping=mapping, anchor=event.anchor))
        return None
    if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        return _closed(opened.pop(), event, anchors)
    if isinstance(event, yaml.ScalarEvent):
        done = Node(scalar=_scalar(event), place=_place(event, event))
        if event.anchor:
            anchors[event.anchor] = done
        return done
    if isinstance(event, yaml.AliasEvent):
        # An alias to what is still open would be a circle: nothing that a rule reads.
        return anchors.get(event.anchor or "") or Node(place=_place(event, event))
    return None


def _put(around: _Open, done: Node) -> None:
    if not around.mapping:
        around.items.append(done)
    elif around.key is None:
        around.key = done
    else:
        key = around.key.scalar
        name = key if isinstance(key, str) else str(key).lower() if key is not None else ""
        around.entries.append(Entry(key=name, place=around.key.place, node=done))
        around.key = None


def _closed(ended: _Open, last: yaml.Event, anchors: dict[str, Node]) -> Node:
    place = _place(ended.event, last)
    done = Node(place=place, items=tuple(ended.items), entries=tuple(ended.entries))
    if ended.anchor:
        anchors[ended.anchor] = done
    return done


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    value = str(event.value)
    if event.style:
        return value
    word = value.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    return None if word in _NULL else value


def _place(first: yaml.Event, last: yaml.Event) -> Place:
    start, end = first.start_mark, last.end_mark
    if start is None or end is None:
        return Place(line=1)
    # A block ends where the next thing begins: column 0 of a later line is the end of the line before.
    line, col = (end.line + 1, end.column) if end.column else (end.line, 0)
    return Place(line=start.line + 1, col=start.column + 1, end_line=max(line, start.line + 1), end_col=col)
