"""Every text in a call's arguments, with the name of the argument that holds it."""

from __future__ import annotations

import os
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentcop_core.toolcall import Arguments

_MAX_NODES: Final = 200_000
_MAX_TEXT: Final = 8 * 1_048_576
_PATHS: Final = frozenset({PosixPath, PurePosixPath, PureWindowsPath, WindowsPath})
_BYTES: Final = b'"$bytes"'

Text = tuple[str, str]
"""The argument's name and one text in it."""


def texts_of(arguments: Arguments) -> Iterator[Text]:
    """The texts of frozen arguments: values and keys at every level, and bytes as a path would read them."""
    for name, value in arguments.plain.items():
        if type(value) is str:
            yield name, value
        elif type(value) is dict or type(value) is list:
            yield from _plain_texts(name, value)
        if not name.isidentifier():
            yield name, name
    if _BYTES in arguments.canonical:
        yield from texts_of_unread(arguments.values)


def texts_of_unread(arguments: Mapping[str, object]) -> Iterator[Text]:
    """The texts in Python's own containers, within bounds; runs no code of a foreign class.

    Up to 200,000 values and 8 MiB: what lies beyond is not looked at.
    """
    left, nodes = _MAX_TEXT, _MAX_NODES
    waiting: list[tuple[str, object]] = [(str(name), value) for name, value in dict(arguments).items()]
    while waiting and nodes > 0 and left > 0:
        name, value = waiting.pop()
        nodes -= 1
        if (text := _text(value)) is not None:
            left -= len(text)
            yield name, text
            continue
        for part in _parts(value):
            waiting.append((name, part))
            if len(waiting) > nodes:
                break


def _plain_texts(name: str, value: dict[str, object] | list[object]) -> Iterator[Text]:
    waiting: list[Any] = [value]
    while waiting:
        node = waiting.pop()
        for part in node.values() if type(node) is dict else node:
            if type(part) is str:
                yield name, part
            elif type(part) is dict or type(part) is list:
                waiting.append(part)
        if type(node) is dict:
            for key in node:
                yield name, key


def _text(value: object) -> str | None:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bytes or kind is bytearray:
        return os.fsdecode(bytes(value))  # type: ignore[call-overload]  # one of the two
    if kind is memoryview:
        return os.fsdecode(memoryview.tobytes(value))  # type: ignore[arg-type]  # it is one
    if kind in _PATHS:
        return str(value)
    return None


def _parts(value: Any) -> Iterator[object]:  # noqa: ANN401 -- any value
    kind = type(value)
    if kind is dict:
        yield from list(value.keys())
        yield from list(value.values())
    elif kind in (list, tuple, set, frozenset):
        yield from list(value)
    elif type(kind) is type and type(getattr(kind, "__dataclass_fields__", None)) is dict:
        held = object.__getattribute__(value, "__dict__") if hasattr(kind, "__dict__") else {}
        yield from list(held.values()) if type(held) is dict else ()
