"""Tools that are called here and in a box, to be compared: what they give, and what they raise."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any


def echo(value: Any) -> Any:
    """What it was given."""
    return value


def types(value: Any) -> list[str]:
    """What the tool itself sees: the type of it all, and of what is in it."""
    inner = (
        value.items() if isinstance(value, dict) else value if isinstance(value, tuple | list | set | frozenset) else ()
    )
    return [type(value).__name__, *sorted(type(each).__name__ for each in inner)]


def defaults(a: Any, b: int = 2, *, c: Any = (3,), d: Any = frozenset({4})) -> list[Any]:
    """Defaults that are no JSON."""
    return [a, b, c, d]


def every(a: int, b: int = 5, /, c: int = 6, *args: int, d: int, e: int = 7, **more: Any) -> dict[str, Any]:
    """Every kind of parameter."""
    return {"a": a, "b": b, "c": c, "args": args, "d": d, "e": e, "more": more}


def named(name: str, tool: int = 1, args: Any = (), kwargs: Any = None, timeout: int = 3) -> list[Any]:
    """Parameters that are called as what carries them is."""
    return [name, tool, args, kwargs, timeout]


async def later(value: Any, *, more: int = 1) -> list[Any]:
    """Awaited."""
    await asyncio.sleep(0)
    return [value, more]


def gives_later(value: Any) -> Any:
    """A plain function that gives something to await."""
    return later(value)


class Failed(Exception):  # noqa: N818 -- as an application names it
    """An error that cannot be made of its own arguments."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why


class Shown(Exception):  # noqa: N818 -- as above
    """An error whose text is of what it holds."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def __str__(self) -> str:
        return f"E{self.code}"


@dataclasses.dataclass
class Held(Exception):  # noqa: N818 -- as above
    """An error that is a dataclass."""

    code: int
    why: str = "y"


def fail(kind: str) -> Any:  # noqa: C901, PLR0912 -- a table
    """Raise what is asked for."""
    if kind == "failed":
        raise Failed(7, "seven")
    if kind == "shown":
        raise Shown(7)
    if kind == "held":
        raise Held(7)
    if kind == "chained":
        try:
            int("inner")
        except ValueError as error:
            raise ValueError("outer") from error
    if kind == "group":
        raise ExceptionGroup("many", [ValueError(1), Failed(2, "two"), ExceptionGroup("in", [TypeError("x")])])
    if kind == "large group":
        raise ExceptionGroup("many", [ValueError(number) for number in range(16)])
    if kind == "program":
        raise subprocess.CalledProcessError(3, ["a", "b"], output="o")
    if kind == "renamed":
        Path("/no/a").rename("/no/b")
    if kind == "listed":
        list(Path("/no/a").iterdir())
    if kind == "decoded":
        b"\xff".decode()
    if kind == "parsed":
        json.loads("{")
    if kind == "plain":
        raise ValueError(None, 1.5, (1, 2), b"x", {"a": {1}})
    if kind == "missing":
        return dict.fromkeys("a")["k"]
    if kind == "nothing":
        raise RuntimeError
    return "not asked for"


async def fail_together() -> None:
    """As tasks of a group fail."""

    async def one() -> None:
        raise ValueError("one")

    async with asyncio.TaskGroup() as group:
        group.create_task(one())
