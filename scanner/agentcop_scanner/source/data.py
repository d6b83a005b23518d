"""JSON, YAML and TOML as data, with the line that each value stands on. Bounded in depth and size; runs no tags."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field

import yaml

Keys = tuple[str | int, ...]
"""The way to a value from the top: `("mcpServers", "files", "args", 0)`."""

_MAX_DEPTH = 100
_MAX_VALUES = 200_000
_SPACE = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_STRINGS = json.JSONDecoder(strict=False)
_WORDS = {"true": True, "false": False, "null": None}


class NotDataError(ValueError):
    """The text is not what it should be, with the line in the message."""


@dataclass(slots=True)
class Data:
    """What a text holds, and where."""

    value: object = None
    lines: dict[Keys, int] = field(default_factory=dict)
    """Line of each value, by its way from the top."""


class _Json:
    """Reads JSON, also with comments and trailing commas, as editors' settings have them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0
        self.lines: dict[Keys, int] = {}

    def _where(self) -> int:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def _skip(self) -> str:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def _wrong(self, what: str) -> NotDataError:
        return NotDataError(f"line {self._where()}: {what}")

    def read(self) -> object:
        value = self._value(())
        if self._skip():
            raise self._wrong("something follows the value")
        return value

    def _value(self, keys: Keys) -> object:
        if len(keys) > _MAX_DEPTH:
            raise self._wrong(f"nested over {_MAX_DEPTH} levels")
        if len(self.lines) > _MAX_VALUES:
            raise self._wrong(f"over {_MAX_VALUES} values")
        first = self._skip()
        self.lines.setdefault(keys, self._where())
        if first == "{":
            return self._object(keys)
        if first == "[":
            return self._array(keys)
        if first == '"':
            return self._string()
        if number := _NUMBER.match(self.text, self.at):
            self.at = number.end()
            return float(number[0]) if number[1] or number[2] else int(number[0][:1000])
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        raise self._wrong("no JSON value")

    def _string(self) -> str:
        try:
            text, self.at = _STRINGS.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise self._wrong("a string that does not end") from error
        return str(text)

    def _object(self, keys: Keys) -> dict[str, object]:
        found: dict[str, object] = {}
        self.at += 1
        while (first := self._skip()) != "}":
            if first != '"':
                raise self._wrong("a key was expected")
            line = self._where()
            key = self._string()
            if self._skip() != ":":
                raise self._wrong("a colon was expected")
            self.at += 1
            self.lines[(*keys, key)] = line
            found[key] = self._value((*keys, key))
            self._comma("}")
        self.at += 1
        return found

    def _array(self, keys: Keys) -> list[object]:
        found: list[object] = []
        self.at += 1
        while self._skip() != "]":
            found.append(self._value((*keys, len(found))))
            self._comma("]")
        self.at += 1
        return found

    def _comma(self, end: str) -> None:
        following = self._skip()
        if following == ",":
            self.at += 1
        elif following != end:
            raise self._wrong(f"a comma or {end} was expected")


def read_json(text: str) -> Data:
    """JSON, with comments and trailing commas allowed. Raises NotDataError."""
    reader = _Json(text)
    return Data(reader.read(), reader.lines)


class _Yaml:
    """Makes data of composed YAML. An alias counts each time it is used, so that a bomb of them ends."""

    def __init__(self, loader: yaml.CSafeLoader | yaml.SafeLoader) -> None:
        self.loader = loader
        self.lines: dict[Keys, int] = {}
        self.values = 0

    def value(self, node: yaml.Node, keys: Keys) -> object:
        self.values += 1
        line = node.start_mark.line + 1
        if len(keys) > _MAX_DEPTH or self.values > _MAX_VALUES:
            raise NotDataError(f"line {line}: nested over {_MAX_DEPTH} levels or over {_MAX_VALUES} values")
        self.lines.setdefault(keys, line)
        if isinstance(node, yaml.MappingNode):
            found: dict[str, object] = {}
            for key, item in node.value:
                name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
                self.lines[(*keys, name)] = key.start_mark.line + 1
                found[name] = self.value(item, (*keys, name))
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*keys, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> object:
        if node.tag in {
            "tag:yaml.org,2002:bool",
            "tag:yaml.org,2002:int",
            "tag:yaml.org,2002:float",
            "tag:yaml.org,2002:null",
        }:
            try:
                return self.loader.construct_object(node)
            except (yaml.YAMLError, ValueError, OverflowError):
                return str(node.value)
        return str(node.value)


def read_yaml(text: str) -> Data:
    """YAML; of several documents in one text a list. A tag of any kind gives its text. Raises NotDataError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    made = _Yaml(loader)
    try:
        nodes: list[yaml.Node] = []
        while loader.check_node():
            if (node := loader.get_node()) is not None:
                nodes.append(node)
        if len(nodes) == 1:
            return Data(made.value(nodes[0], ()), made.lines)
        return Data([made.value(node, (index,)) for index, node in enumerate(nodes)] or None, made.lines)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotDataError(" ".join(str(error).split())[:200]) from error
    finally:
        loader.dispose()


def read_toml(text: str) -> Data:
    """TOML. The line of a value is that of the first line that begins with its key. Raises NotDataError."""
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotDataError(str(error)[:200]) from error
    firsts: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        key = line.strip().strip("[]").partition("=")[0].strip().rpartition(".")[2].strip("\"'")
        if key and not key.startswith("#"):
            firsts.setdefault(key, number)
    lines: dict[Keys, int] = {}
    todo: list[tuple[Keys, object]] = [((), value)]
    while todo:
        keys, item = todo.pop()
        inner: list[tuple[str | int, object]] = []
        if isinstance(item, dict):
            inner += item.items()
        elif isinstance(item, list):
            inner += enumerate(item)
        for name, below in inner:
            lines[(*keys, name)] = firsts.get(str(name), lines.get(keys, 1))
            todo.append(((*keys, name), below))
    return Data(value, lines)
