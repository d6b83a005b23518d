"""YAML text to a tree of marked nodes, within bounds: size, depth, and what aliases expand to."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, Protocol

import yaml

from agentcop_policies.reading.problems import quoted
from agentcop_policies.reading.scalars import ambiguous, resolve
from agentcop_policies.reading.tree import Entry, Items, Mark, Node, Scalar, Table
from agentcop_policies.secrets import is_malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_policies.reading.problems import Problems

MAX_BYTES: Final = 1_048_576
MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000

# `{type: slack, webhook: ${URL}}` is not YAML: a brace ends an unquoted value there. While the text is parsed, the
# braces of a secret are two characters that mean nothing to YAML and are as wide.
_SECRET: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,199}(?::-[^{}\n]{0,999})?)\}", re.ASCII)
_OPEN, _CLOSE = "\ue000", "\ue001"


class Place(Protocol):
    """PyYAML's own mark, of either of its parsers: counts from 0."""

    line: int
    column: int


class _Stopped(Exception):  # noqa: N818 -- not an error of the caller's: the problem is recorded already
    """Parsing cannot go on."""


def decode(data: bytes, file: str, problems: Problems) -> str | None:
    """The text of a file: UTF-8 with or without a byte order mark, up to 1 MiB; None with a problem otherwise."""
    if len(data) > MAX_BYTES:
        problems.add(Mark(file, 1, 1), f"the file is larger than {MAX_BYTES} bytes")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8", "replace")
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        problems.add(Mark(file, line, column), "not UTF-8: save the file as UTF-8 text")
        return None


def parse(text: str, file: str, problems: Problems) -> Table | None:
    """The mapping that the one document in `text` is; None with a problem if it is none."""
    problems.enter(file)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        problems.add(Mark(file, 1, 1), f"the text is larger than {MAX_BYTES} bytes")
        return None
    if _OPEN in text or _CLOSE in text:
        problems.add(Mark(file, 1, 1), "the characters U+E000 and U+E001 are not read in a policy")
        return None
    try:
        return _Composer(_SECRET.sub(rf"${_OPEN}\1{_CLOSE}", text), file, problems).document()
    except _Stopped:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.context_mark if "alias" in (error.context or "") else error.problem_mark or error.context_mark
        problems.add(_mark(file, mark), _syntax(error, text))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        problems.add(place, f"the character U+{ord(text[error.position]):04X} is not allowed in YAML")
    return None


def _mark(file: str, mark: Place | None) -> Mark:
    return Mark(file, 1, 1) if mark is None else Mark(file, mark.line + 1, mark.column + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    """What a person did wrong, where PyYAML says what its scanner expected."""
    what = " ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    place = error.problem_mark
    line = lines[place.line] if place is not None and place.line < len(lines) else ""
    if "alias" in (error.context or ""):
        return 'a bare * starts a YAML alias: write "*" in quotes'
    if is_malformed(line):
        return '"${" is not closed: secrets are written ${NAME} or ${NAME:-default}'
    if "found character '\\t'" in what:
        return "a tab cannot indent YAML: use spaces"
    hint = ": put the whole condition after when: in quotes" if "when:" in line else ""
    return f"not YAML: {what}{hint}".replace(_OPEN, "{").replace(_CLOSE, "}")


class _Composer:
    """Builds nodes from PyYAML's events; constructs no object, follows no tag."""

    def __init__(self, text: str, file: str, problems: Problems) -> None:
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._events = events
        self._ahead: yaml.Event | None = None
        self._file = file
        self._problems = problems
        self._anchors: dict[str, Node] = {}

    def document(self) -> Table | None:
        self._next()
        if isinstance(self._peek(), yaml.StreamEndEvent):
            self._problems.add(Mark(self._file, 1, 1), "the file is empty: a policy needs agent_id and gate")
            return None
        self._next()
        root = self._node(0)
        self._next()
        if not isinstance(self._peek(), yaml.StreamEndEvent):
            mark = _mark(self._file, self._peek().start_mark)
            self._problems.add(mark, "a second document starts here: a policy file holds one")
        if isinstance(root, Table):
            return root
        if isinstance(root, Scalar) and root.value is None:
            self._problems.add(root.mark, "the file is empty: a policy needs agent_id and gate")
        else:
            self._problems.add(root.mark, "expected a mapping, such as `agent_id: my-agent`")
        return None

    def _peek(self) -> yaml.Event:
        if self._ahead is None:
            self._ahead = next(self._events)
        return self._ahead

    def _next(self) -> yaml.Event:
        event, self._ahead = self._peek(), None
        return event

    def _node(self, depth: int) -> Node:
        event = self._next()
        mark = _mark(self._file, event.start_mark)
        if depth > MAX_DEPTH:
            self._problems.add(mark, f"nested more than {MAX_DEPTH} deep")
            raise _Stopped
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), mark)
        node = self._of(event, depth, mark)
        if node.size > MAX_NODES:
            self._problems.add(mark, f"more than {MAX_NODES} values once its aliases are written out")
            raise _Stopped
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = node
        return node

    def _of(self, event: yaml.Event, depth: int, mark: Mark) -> Node:
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            self._problems.add(mark, f"YAML tags are not read: remove {quoted(tag)}, or put the text in quotes")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(depth, mark)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, mark)
        return self._table(depth, mark)

    def _alias(self, name: str, mark: Mark) -> Node:
        if (known := self._anchors.get(name)) is not None:
            return known
        self._problems.add(
            mark, f'*{name} is a YAML alias, and no &{name} stands before it: for a glob write "*{name}"'
        )
        return Scalar(value=f"*{name}", text=f"*{name}", mark=mark)

    def _items(self, depth: int, mark: Mark) -> Items:
        nodes: list[Node] = []
        size = 1
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            nodes.append(self._node(depth + 1))
            size += nodes[-1].size
        self._next()
        return Items(nodes=tuple(nodes), mark=mark, size=size)

    def _table(self, depth: int, mark: Mark) -> Table:
        entries: dict[str, Entry] = {}
        size = 1
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            key, place = self._key(depth)
            node = self._node(depth + 1)
            size += 1 + node.size
            if key in entries:
                first = entries[key].key
                self._problems.add(place, f"duplicate key {quoted(key)}: it stands in line {first.line} already")
            else:
                entries[key] = Entry(key=place, node=node)
        self._next()
        return Table(entries=entries, mark=mark, size=size)

    def _key(self, depth: int) -> tuple[str, Mark]:
        node = self._node(depth + 1)
        if not isinstance(node, Scalar):
            self._problems.add(node.mark, "a key must be plain text")
            return "?", node.mark
        if node.text == "<<":
            self._problems.add(node.mark, "merge keys (<<) are not read: write the keys out, or use extends")
        return node.text, node.mark

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Scalar:
        text = event.value.replace(_OPEN, "{").replace(_CLOSE, "}")
        value: str | float | bool | None = text
        if event.implicit[0]:
            value = resolve(text)
            if why := ambiguous(text):
                self._problems.add(mark, why)
            if isinstance(value, float) and not math.isfinite(value):
                self._problems.add(mark, f"{text} is not a finite number")
        return Scalar(value=value, text=text, mark=mark)
