"""Whether a tree has the shape of a policy: pydantic judges, and its errors are put in the words of the file."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import TYPE_CHECKING, Any, Final

from agentcop_policies.document.sections import NetworkAllow
from agentcop_policies.models import GatePolicy, PolicyDocument, complete
from agentcop_policies.reading.problems import Problems, did_you_mean, got, quoted
from agentcop_policies.reading.tree import Mark, Path, Scalar, Table, plain, spell, walk, where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

_WORDS: Final = {
    "literal_error": "expected {expected}",
    "string_type": "expected text",
    "string_too_short": "expected text",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "greater_than": "expected a finite number above zero",
    "finite_number": "expected a finite number above zero",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than_equal": "expected a number of at most {le}",
    "tuple_type": "expected a list",
    "dataclass_type": "expected a mapping (key: value)",
    "mapping_type": "expected a mapping (key: value)",
}
_RULE = "expected a tool's name or {tool: NAME, when: CONDITION}"
_NETWORK = "expected public, none or {allow: [host:port]}"


def shaped(root: Table, problems: Problems, *, whole: bool = True) -> PolicyDocument | None:
    """The document that a merged tree is; None with a problem for everything that does not fit.

    Unless it is the `whole` tree, its missing sections are no problem: they may stand in the file that is not here.
    """
    from pydantic import ValidationError

    empty = _empty(root)
    for path in empty:
        problems.add(where(root, path, key=True), f"{quoted(spell(path))} is empty: remove it, or write its value")
    values = plain(root)
    # The text as written, so that 2.10 is not 2.1.
    if isinstance(values, dict) and isinstance(version := root.get("version"), Scalar):
        values["version"] = version.text
    try:
        document = adapter(PolicyDocument).validate_python(values)
    except ValidationError as error:
        _explain(
            (
                detail
                for detail in error.errors(include_url=False)
                if detail["loc"] not in empty and (whole or detail["type"] != "missing" or len(detail["loc"]) > 1)
            ),
            PolicyDocument,
            lambda path, key: where(root, path, key=key),
            problems,
        )
        return None
    return None if empty else dataclasses.replace(document, extends=None)


def shaped_gate(given: Mapping[str, object]) -> dict[str, object]:
    """The values of a `GatePolicy(...)`, each checked. Raises PolicyError with everything that does not fit."""
    from pydantic import ValidationError

    try:
        gate = adapter(GatePolicy).validate_python(given)
    except ValidationError as error:
        problems = Problems()
        details = error.errors(include_url=False)
        _explain(details, GatePolicy, lambda path, _key: Mark(f"GatePolicy {spell(path)}"), problems)
        problems.stop_if_any()
        raise
    return {field.name: getattr(gate, field.name) for field in dataclasses.fields(gate)}


@functools.cache
def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """The view pydantic has of one of our classes; built on first use."""
    from pydantic import TypeAdapter

    complete()
    return TypeAdapter(kind)


def _empty(root: Table) -> tuple[Path, ...]:
    """Where nothing stands. The arguments of a test may hold null: they are a tool's, not ours."""
    return tuple(
        path
        for path, node in walk(root)
        if isinstance(node, Scalar)
        and node.value is None
        and not (path[0] == "tests" and path[2:4] == ("call", "args"))
    )


def _explain(
    details: Iterable[ErrorDetails],
    kind: type[Any],
    locate: Callable[[Path, bool], Mark],
    problems: Problems,
) -> None:
    for detail in details:
        path = detail["loc"]
        section, path = _section(kind, path)
        last = path[-1] if path else ""
        if detail["type"] == "unexpected_keyword_argument":
            hint = _elsewhere(kind, section, str(last))
            if not hint:
                known = _keys(section)
                hint = did_you_mean(str(last), known) or f"; known here: {', '.join(known)}"
            problems.add(locate(path, True), f"unknown key {quoted(str(last))}{hint}")  # noqa: FBT003 -- `key` of `where`
        elif detail["type"] == "missing":
            inside = f" in {spell(path[:-1])}" if len(path) > 1 else ""
            problems.add(locate(path[:-1], False), f"{quoted(str(last))} is missing{inside}")  # noqa: FBT003 -- as above
        else:
            problems.add(locate(path, False), f"{_expected(detail, path)}, got {got(detail['input'])}{_hint(detail)}")  # noqa: FBT003 -- as above


def _keys(section: type[Any]) -> list[str]:
    return [field.name.rstrip("_") for field in dataclasses.fields(section)]


def _elsewhere(kind: type[Any], section: type[Any], key: str) -> str:
    """Where a key belongs that is indented too little or too much."""
    if kind is not PolicyDocument:
        return ""
    if section is PolicyDocument:
        return "; it belongs under gate:" if key in _keys(GatePolicy) else ""
    return "; it belongs at the top of the file, not indented" if key in _keys(PolicyDocument) else ""


def _expected(detail: ErrorDetails, path: Path) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if path[-2:] == ("sandbox", "network"):
        return _NETWORK
    if kind == "dataclass_type" and len(path) > 1 and path[-2] in ("allow", "require_approval", "block"):
        return _RULE
    if kind == "value_error":
        return str(context["error"])
    words = _WORDS.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])
    return words.format_map(context).replace("'", "")


def _hint(detail: ErrorDetails) -> str:
    value = detail["input"]
    if detail["type"] == "literal_error" and isinstance(value, str):
        expected = str(detail.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ")
        return did_you_mean(value, expected.split(", ")) or did_you_mean(value.upper(), expected.split(", "))
    if detail["type"] in ("string_type", "dataclass_type") and type(value) in (int, float):
        return f': write "{value}"'
    if detail["type"] == "tuple_type" and isinstance(value, str) and value.isidentifier():
        return f": write [{value}]"
    return ""


def _section(kind: type[Any], path: Path) -> tuple[type[Any], Path]:
    """The class whose keys stand at the end of `path`, and the path without the members of unions."""
    walked: list[str | int] = []
    section = kind
    for index, step in enumerate(path):
        if isinstance(step, int):
            walked.append(step)
            continue
        hints = typing.get_type_hints(section)
        hint = hints.get(step, hints.get(f"{step}_"))
        if hint is None and index < len(path) - 1 and step in (NetworkAllow.__name__, "literal['public','none']"):
            continue
        if hint is None and step == "literal['public','none']":
            continue
        walked.append(step)
        if index < len(path) - 1 and (below := _dataclass_in(hint)) is not None:
            section = below
    return section, tuple(walked)


def _dataclass_in(hint: object) -> type[Any] | None:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return hint
    for part in typing.get_args(hint):
        if (found := _dataclass_in(part)) is not None:
            return found
    return None
