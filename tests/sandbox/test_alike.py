"""A call in a box gives what the same call gives here, or an exception of the same type, or is refused: never else."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime as dt
import enum
import fractions
import math
import uuid
import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, SecretStr

import alike_tools as tools
from agentcop import AgentCop, SandboxRefused
from boxes import Engine, engine, mode, nothing_is_left

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["engine", "nothing_is_left"]

pytestmark = pytest.mark.sandbox


@pytest.fixture
def cop(engine: Engine, tmp_path: Path) -> AgentCop:
    file = tmp_path / "policy.yaml"
    sandbox = f"{{mode: {mode(engine)}, network: none, reuse: per_agent}}"
    file.write_text(f"agent_id: boxed\ngate: {{default: allow}}\nsandbox: {sandbox}\n", encoding="utf-8")
    return AgentCop(policy_file=file)


def outcome(call: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[object, ...]:
    """What came of a call, in a form that two calls can be compared by: types all through, nan is nan."""
    try:
        value = call(*args, **kwargs)
        if asyncio.iscoroutine(value):
            value = asyncio.run(awaited(value))
    except Exception as error:
        return described(error)
    return "gave", type(value), spelt(value)


async def awaited(value: Any) -> Any:
    return await value


def described(error: Exception) -> tuple[object, ...]:
    inner = [described(each) for each in error.exceptions] if isinstance(error, ExceptionGroup) else []
    held = {name: value for name, value in vars(error).items() if name != "__notes__"}
    return "raised", type(error), str(error), error.args[:1] if inner else error.args, held, inner


def spelt(value: Any) -> str:
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}{sorted(map(spelt, value))}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}{[spelt(each) for each in value]}"
    if isinstance(value, dict):
        return str([(spelt(key), spelt(each)) for key, each in value.items()])
    return f"{type(value).__name__} {hex(value) if type(value) is int else repr(value)}"


TRAVELS = [
    *(None, True, 0, -1, 1 << 63, -(1 << 63), -(1 << 63) - 1, 1 << 20_000, 1.5, -0.0, math.nan, math.inf, -math.inf),
    *("", "\0", "é", b"", b"\xff\x00", (), (1, (2,)), [], [1, [2, (3,)]], set(), {1, "a"}, frozenset({1})),
    *({}, {"a": 1}, {1: 2}, {None: 1, True: 2}, {(1, 2): 3}, {"$": 1}, {"$": "tuple", "v": []}),
    *(
        dt.date(2020, 1, 1),
        dt.datetime.fromisoformat("2020-10-25T02:00").replace(fold=1),
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    ),
    *(dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=1))), dt.timedelta(-1, 3, 4)),
    *(Decimal("1.10"), Decimal("NaN"), uuid.UUID(int=5), "x" * 900_000, [1] * 100_000),
]


def test_plain_values_go_in_and_come_back_as_they_are(cop: AgentCop) -> None:
    echo, types = cop.tool(tools.echo), cop.tool(tools.types)
    for value in TRAVELS:
        assert outcome(echo, value) == outcome(tools.echo, value)
        assert outcome(types, value) == outcome(tools.types, value)


class Colour(enum.IntEnum):
    RED = 1


@dataclasses.dataclass
class Row:
    a: int = 1


class Model(BaseModel):
    a: int = 1


STAYS = [
    *(bytearray(b"x"), memoryview(b"x"), Path("/a"), Colour.RED, Row(), Model(), SecretStr("k")),
    *(collections.OrderedDict(a=1), collections.Counter("ab"), collections.deque([1]), range(3), slice(1, 2)),
    *(fractions.Fraction(1, 3), dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")), 2 + 3j, object(), len, Row),
]


def test_what_would_come_back_as_something_else_is_refused_and_says_which_argument(cop: AgentCop) -> None:
    echo = cop.tool(tools.echo)
    for value in STAYS:
        for args, kwargs in (([value],), {}), ((), {"value": value}):
            with pytest.raises(SandboxRefused, match=r"arguments.*: pass plain values"):
                echo(*args, **kwargs)


CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (tools.defaults, (1,), {}),
    (tools.defaults, (1,), {"c": 5}),
    (tools.every, (1,), {"d": 2}),
    (tools.every, (1, 2, 3, 4, 5), {"d": 6, "e": 8, "z": (10,)}),
    (tools.every, (1,), {"d": 2, "not a name": 1, "class": 2, "$": 3}),
    (tools.named, ("n",), {}),
    (tools.named, (), {"name": "n", "tool": "t", "args": (1,), "kwargs": {"a": 1}, "timeout": 0}),
    (tools.later, (1,), {}),
    (tools.later, ((1,),), {"more": 2}),
    (tools.gives_later, (1,), {}),
]


def test_arguments_reach_their_parameters_as_they_do_here(cop: AgentCop) -> None:
    for tool, args, kwargs in CALLS:
        assert outcome(cop.tool(tool), *args, **kwargs) == outcome(tool, *args, **kwargs)


FAILURES = (
    *("failed", "shown", "held", "chained", "group", "large group", "program", "renamed", "listed", "decoded"),
    *("parsed", "plain", "missing", "nothing"),
)


def test_an_exception_is_of_the_same_type_and_holds_the_same(cop: AgentCop) -> None:
    fail = cop.tool(tools.fail)
    for kind in FAILURES:
        assert outcome(fail, kind) == outcome(tools.fail, kind)
    assert outcome(cop.tool(tools.fail_together)) == outcome(tools.fail_together)
