"""Arguments that arrive as JSON text: read so that nobody else can read them otherwise, and made to fit their schema.

A body that is handed text parses it by a parser of its own. So what is judged goes on as text again, written by us,
with the types and defaults that the tool's schema declares: whatever parses that finds what was judged.
"""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_DEPTH = 64
_MAX_HOPS = 32
_MAX_DIGITS = 400
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "off", "f", "false", "n", "no"})
_EXACT = 2**53
"""Integers up to here are exact as floats."""


class AmbiguousError(ValueError):
    """JSON that says one thing to one parser and another to the next."""


def decode(text: str) -> object:
    """The value of this JSON text, as Python's own parser reads it; "" is an empty object.

    Raises AmbiguousError for an object with one key twice, ValueError or RecursionError for what is no JSON.
    """
    return json.loads(text, object_pairs_hook=_object_of) if text else {}


def encode(values: Mapping[str, object]) -> str:
    """JSON text of these values, for a body that parses it."""
    return json.dumps(dict(values))


def fit(values: Mapping[str, object], schema: object, *, convert: bool = True) -> dict[str, object]:
    """A copy of the arguments with the defaults and, if `convert`, the scalar types of their JSON Schema.

    Texts become the numbers and booleans that are declared, as lenient validators read them; what cannot be made to
    fit stays as it is. The schema may be hostile: its references are followed a bounded number of times.
    """
    return _Fit(schema, convert=convert).members(values, schema, 0)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise AmbiguousError("an object in the arguments has one key twice")
    return made


class _Fit:
    """One schema that values are made to fit."""

    def __init__(self, root: object, *, convert: bool) -> None:
        self._root = root
        self._convert = convert
        self._known: dict[int, tuple[list[dict[str, Any]], frozenset[str]]] = {}

    def members(self, values: Mapping[str, object], schema: object, depth: int) -> dict[str, object]:
        properties = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(properties, dict):
            return dict(values)
        fitted = {key: self._value(value, properties.get(key), depth) for key, value in values.items()}
        for key, declared in properties.items():
            if key not in fitted and isinstance(declared, dict) and "default" in declared:
                default = declared["default"]
                resolved = _resolved(declared, self._root)
                kinds = self._of(resolved)[1] if isinstance(resolved, dict) else frozenset()
                if default is not None or "null" in kinds:
                    # A container stays as it is: filled in by schemas that refer to themselves, it would never end.
                    plain = self._convert and not isinstance(default, dict | list)
                    fitted[key] = _scalar(default, kinds) if plain else copy.deepcopy(default)
        return fitted

    def _value(self, value: object, declared: object, depth: int) -> object:
        schema = _resolved(declared, self._root)
        if not isinstance(schema, dict) or depth > _MAX_DEPTH:
            return value
        options, kinds = self._of(schema)
        if isinstance(value, dict):
            objects = [option for option in options if "properties" in option]
            return self.members(value, objects[0], depth + 1) if len(objects) == 1 else value
        if isinstance(value, list):
            lists = [option["items"] for option in options if "items" in option]
            return [self._value(item, lists[0], depth + 1) for item in value] if len(lists) == 1 else value
        return _scalar(value, kinds) if self._convert else value

    def _of(self, schema: dict[str, Any]) -> tuple[list[dict[str, Any]], frozenset[str]]:
        """What this schema allows, and of which types; looked up once for all items of a list."""
        known = self._known.get(id(schema))
        if known is None:
            options = _options(schema, self._root, 0)
            known = self._known[id(schema)] = (options, _kinds(options))
        return known


def _resolved(schema: object, root: object) -> object:
    for _ in range(_MAX_HOPS):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        schema = root
        for part in reference.split("/")[1:]:
            schema = schema.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(schema, dict) else None
    return None


def _options(schema: dict[str, Any], root: object, depth: int) -> list[dict[str, Any]]:
    """The schema, and those that it allows or demands beside itself."""
    found = [schema]
    if depth < _MAX_HOPS:
        for keyword in ("anyOf", "oneOf", "allOf"):
            options = schema.get(keyword)
            for option in options if isinstance(options, list) else ():
                resolved = _resolved(option, root)
                if isinstance(resolved, dict) and len(found) < _MAX_DEPTH:
                    found += _options(resolved, root, depth + 1)
    return found[:_MAX_DEPTH]


def _kinds(options: list[dict[str, Any]]) -> frozenset[str]:
    kinds: set[str] = set()
    for option in options:
        declared = option.get("type")
        kinds.update(each for each in (declared if isinstance(declared, list) else [declared]) if isinstance(each, str))
    return frozenset(kinds)


def _scalar(value: object, kinds: frozenset[str]) -> object:
    if value is None or not kinds or (isinstance(value, str) and ("string" in kinds or len(value) > _MAX_DIGITS)):
        return value
    if isinstance(value, bool) and "boolean" in kinds:
        return value
    for kind, convert in (("integer", _integer), ("number", _number), ("boolean", _boolean)):
        if kind in kinds and (converted := convert(value)) is not None:
            return converted
    return value


def _integer(value: object) -> int | None:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            value = _number(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT else None


def _number(value: object) -> float | None:
    if isinstance(value, float):
        return value
    try:
        number = float(value) if isinstance(value, str | int) else math.nan
    except (ValueError, OverflowError):
        return None
    lost = isinstance(value, int) and abs(value) > _EXACT
    return number if math.isfinite(number) and not lost else None


def _boolean(value: object) -> bool | None:
    if isinstance(value, int | float):
        return bool(value) if value in {0, 1} else None
    word = value.strip().lower() if isinstance(value, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None
