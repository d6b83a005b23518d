"""The suite passes plain Python's adapter, and finds what an adapter can do wrong."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from agentcop.testing import NonConforming, Shape, Tools, check_adapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from agentcop.testing import Exercise

    Wrap = Callable[[Any], Any]

ASKED = (("lookup", "x"), ("wipe", "y"))


class Agent:
    """An agent that feeds whatever its tools answer or raise back to its model."""

    def __init__(self, tools: Mapping[str, Callable[..., Any]]) -> None:
        self.tools = dict(tools)

    def call(self, name: str, argument: str) -> str:
        try:
            return str(self.tools[name](argument))
        except Exception as error:
            return f"{name} failed: {type(error).__name__}"

    def invoke(self, calls: tuple[tuple[str, str], ...]) -> list[str]:
        return [self.call(*each) for each in calls]

    async def ainvoke(self, calls: tuple[tuple[str, str], ...]) -> list[str]:
        return [self.call(*each) for each in calls]

    def stream(self, calls: tuple[tuple[str, str], ...]) -> Iterator[str]:
        for each in calls:
            yield self.call(*each)

    async def astream(self, calls: tuple[tuple[str, str], ...]) -> AsyncIterator[str]:
        for each in calls:
            yield self.call(*each)

    def run(self, calls: tuple[tuple[str, str], ...]) -> list[str]:
        """Both at once, on threads that take the run's context along, as every framework's do."""
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(copy_context().run, partial(self.call, *each)) for each in calls]
            return [each.result() for each in asked]


def agent(tools: Tools, wrap: Wrap) -> Agent:
    made: Agent = wrap(Agent({"lookup": tools.lookup, "wipe": tools.wipe}))
    return made


def sync(tools: Tools, wrap: Wrap) -> object:
    return agent(tools, wrap).invoke(ASKED)


def asynchronous(tools: Tools, wrap: Wrap) -> object:
    return asyncio.run(agent(tools, wrap).ainvoke(ASKED))


def stream(tools: Tools, wrap: Wrap) -> object:
    return list(agent(tools, wrap).stream(ASKED))


def astream(tools: Tools, wrap: Wrap) -> object:
    async def collect() -> list[str]:
        return [item async for item in agent(tools, wrap).astream(ASKED)]

    return asyncio.run(collect())


def batch(tools: Tools, wrap: Wrap) -> object:
    made = agent(tools, wrap)
    return [made.invoke((each,)) for each in ASKED]


def parallel(tools: Tools, wrap: Wrap) -> object:
    return agent(tools, wrap).run(ASKED)


def direct(tools: Tools, wrap: Wrap) -> object:
    made = wrap({"lookup": tools.lookup, "wipe": tools.wipe})
    return [made[name](argument) for name, argument in ASKED]


EXERCISES: dict[Shape, Exercise] = {
    "sync": sync,
    "async": asynchronous,
    "stream": stream,
    "astream": astream,
    "batch": batch,
    "parallel": parallel,
    "direct": direct,
}
NO_SUB_AGENT: dict[Shape, str] = {"sub_agent": "plain Python has no agents of its own: what holds the tools is wrapped"}


def test_plain_python_conforms() -> None:
    check_adapter("generic", EXERCISES, without=NO_SUB_AGENT)


def test_a_shape_that_is_neither_exercised_nor_excused_is_an_error() -> None:
    with pytest.raises(TypeError, match="sub_agent"):
        check_adapter("generic", EXERCISES)


def ungated(tools: Tools, wrap: Wrap) -> object:
    wrap({"other": len})
    return [tools.lookup("x"), tools.wipe("y")]


def changed(tools: Tools, wrap: Wrap) -> object:
    made = {"lookup": tools.lookup, "wipe": tools.wipe}
    output = [str(type(wrap(made)["lookup"])), made["lookup"]("x")]
    made["wipe"]("y")
    return [*output, repr(made["lookup"])]


def swallowing(tools: Tools, wrap: Wrap) -> object:
    made = wrap({"lookup": tools.lookup, "wipe": tools.wipe})
    try:
        return [made["lookup"]("x"), made["wipe"]("y")]
    except Exception:
        return []


def judged_twice(tools: Tools, wrap: Wrap) -> object:
    made = wrap({"lookup": tools.lookup, "wipe": tools.wipe})
    again = wrap({"lookup": lambda query: str(made["lookup"](query))})
    return [again["lookup"]("x"), made["wipe"]("y")]


@pytest.mark.parametrize(
    ("exercise", "finding"),
    [
        (ungated, "refuse: wipe y ran: it is blocked"),
        (changed, "the output is"),
        (swallowing, "raise: the caller got"),
        (judged_twice, "each call is judged exactly once"),
        (lambda tools, wrap: None, "the exercise itself is wrong"),
    ],
)
def test_what_is_wrong_is_named(exercise: Exercise, finding: str) -> None:
    only: dict[Shape, Exercise] = {"direct": exercise}
    reasons: dict[Shape, str] = {shape: "not asked" for shape in (*EXERCISES, "sub_agent") if shape != "direct"}
    with pytest.raises(NonConforming, match=finding):
        check_adapter("broken", only, without=reasons)
