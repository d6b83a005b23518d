"""A guarded callable behaves as the bare one in every shape; a refused one never runs its body."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop_processor.call.passage import active_passage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

RAN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def plain(x: str) -> str:
    RAN.append(x)
    return f"<{x}>"


async def coroutine(x: str) -> str:
    RAN.append(x)
    await asyncio.sleep(0)
    return f"<{x}>"


def generator(x: str) -> Iterator[str]:
    RAN.append(x)
    yield f"<{x}"
    yield ">"


async def async_generator(x: str) -> AsyncIterator[str]:
    RAN.append(x)
    yield f"<{x}"
    await asyncio.sleep(0)
    yield ">"


def returns_coroutine(x: str) -> Any:
    return coroutine(x)


def returns_generator(x: str) -> Iterator[str]:
    return generator(x)


def returns_async_generator(x: str) -> AsyncIterator[str]:
    return async_generator(x)


def finish(value: object) -> object:
    """Whatever a call handed out, driven to its end."""
    if inspect.isawaitable(value):

        async def wait() -> object:
            return await value

        return asyncio.run(wait())
    if inspect.isgenerator(value):
        return "".join(str(item) for item in value)
    if hasattr(value, "__aiter__"):

        async def collect() -> str:
            return "".join([item async for item in value])

        return asyncio.run(collect())
    return value


SHAPES = [
    plain,
    coroutine,
    generator,
    async_generator,
    returns_coroutine,
    returns_generator,
    returns_async_generator,
]
each_shape = pytest.mark.parametrize("tool", SHAPES, ids=lambda tool: tool.__name__)


def cop(*allowed: str) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(allow=allowed or ("none",)))


@each_shape
def test_an_allowed_call_gives_what_the_bare_one_gives(tool: Callable[[str], object]) -> None:
    expected = finish(tool("x"))
    guard = cop(tool.__name__)
    assert finish(guard.tool(tool)("x")) == expected
    assert RAN == ["x", "x"]
    assert guard.counts() == {"allowed": 1}


@each_shape
def test_a_refused_call_never_runs_its_body(tool: Callable[[str], object]) -> None:
    with pytest.raises(PolicyBlocked):
        finish(cop().tool(tool)("x"))
    assert RAN == []


@each_shape
def test_the_shape_is_still_what_inspection_says(tool: Callable[[str], object]) -> None:
    guarded = cop().tool(tool)
    for question in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        assert question(guarded) == question(tool)
    assert inspect.signature(guarded) == inspect.signature(tool)


@each_shape
def test_nothing_of_the_call_stays_current_after_it(tool: Callable[[str], object]) -> None:
    finish(cop(tool.__name__).tool(tool)("x"))
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_generator_gives_its_caller_its_own_context_between_steps() -> None:
    inside: list[bool] = []

    def steps() -> Iterator[int]:
        inside.append(trace.get_current_span().is_recording())
        yield 1
        inside.append(trace.get_current_span().is_recording())
        yield 2

    for _ in cop("steps").tool(steps)():
        assert not trace.get_current_span().is_recording()
    assert inside == [True, True]


def test_a_generator_takes_what_is_sent_thrown_and_returned() -> None:
    def talk() -> Any:
        got = yield "ready"
        try:
            yield f"got {got}"
        except ValueError as error:
            yield f"caught {error}"
        return "end"

    def drive(talk: Callable[[], Any]) -> list[object]:
        conversation = talk()
        said = [next(conversation), conversation.send("it"), conversation.throw(ValueError("v"))]
        with pytest.raises(StopIteration) as stop:
            next(conversation)
        return [*said, stop.value.value]

    assert drive(cop("talk").tool(talk)) == drive(talk)


def test_an_async_generator_takes_what_is_sent_and_thrown() -> None:
    async def talk() -> Any:
        got = yield "ready"
        try:
            yield f"got {got}"
        except ValueError as error:
            yield f"caught {error}"

    async def drive(talk: Callable[[], Any]) -> list[object]:
        conversation = talk()
        first = await conversation.__anext__()
        second = await conversation.asend("it")
        third = await conversation.athrow(ValueError("v"))
        await conversation.aclose()
        return [first, second, third]

    assert asyncio.run(drive(cop("talk").tool(talk))) == asyncio.run(drive(talk))


def test_a_generator_that_is_closed_early_runs_its_cleanup_and_ends_its_call() -> None:
    cleaned: list[bool] = []

    def stream() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            cleaned.append(True)

    guard = cop("stream")
    running = guard.tool(stream)()
    next(running)
    running.close()  # type: ignore[attr-defined]  # it is a generator
    assert cleaned == [True]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_calls_from_many_threads_and_tasks_are_each_judged() -> None:
    guard = cop("plain", "coroutine")
    call, acall = guard.tool(plain), guard.tool(coroutine)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(call, [str(i) for i in range(80)]))) == 80

    async def all_at_once() -> None:
        await asyncio.gather(*(acall(str(i)) for i in range(80)))
        await asyncio.to_thread(call, "t")

    asyncio.run(all_at_once())
    assert guard.counts() == {"allowed": 161}


def test_a_cancelled_call_ends_as_cancelled() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.ensure_future(cop("wait").tool(wait)())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


class Picky(type):
    """A metaclass whose classes are equal and not hashable."""

    def __eq__(cls, other: object) -> bool:
        return isinstance(other, Picky)

    __hash__ = None  # type: ignore[assignment]  # what defining __eq__ alone does


class Odd(metaclass=Picky):
    """An instance cannot be looked up by its class."""


class Unbound:
    """A proxy that stands for nothing at the moment."""

    @property  # type: ignore[misc]  # as proxies do
    def __class__(self) -> Any:
        raise RuntimeError("working outside of a request")


@pytest.mark.parametrize("kind", [Odd, Unbound])
def test_a_result_that_objects_to_being_looked_at_is_handed_out_and_logged(kind: type, agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="agent", policy=GatePolicy(allow=["odd"]))
    result: object = cop.tool(lambda: object.__new__(kind), name="odd")()
    assert type(result) is kind
    assert active_passage() is None
    (outcome,) = gatefile.lines(agentcop_home, "outcome")
    assert outcome["outcome"] == "ok"


class Waiting:
    """An agent with one tool, which waits once."""

    def __init__(self) -> None:
        self.tools = {"wait": self._wait}

    @staticmethod
    async def _wait() -> None:
        await asyncio.sleep(0)

    async def run(self) -> None:
        await self.tools["wait"]()


def test_a_coroutine_that_its_loop_left_behind_is_logged_and_leaves_no_run_in_flight(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="agent", policy=GatePolicy(allow=["wait"]))
    agent = cop.wrap(Waiting())
    running = agent.run()
    # Its steps run in a context of their own, as a task's do; the collector ends it in this one.
    copy_context().run(running.send, None)
    running.close()
    assert not live_in_flight(cop)
    (outcome,) = gatefile.lines(agentcop_home, "outcome")
    assert (outcome["outcome"], outcome["error"]) == ("error", "GeneratorExit")


def live_in_flight(cop: AgentCop) -> bool:
    return cop._gate.in_flight  # noqa: SLF001 -- what decides who judges calls without a context


ABANDONED = """
import gc
from agentcop import AgentCop, GatePolicy

cop = AgentCop(agent_id="a", policy=GatePolicy(default="allow"))

@cop.tool
def stream():
    yield 1
    yield 2

@cop.tool
def count(x):
    return x

class Node: ...

for allocations in range(1, 300):
    gc.disable()
    gc.collect()
    node = Node()
    node.stream, node.self = stream(), node
    next(node.stream)
    del node
    gc.set_threshold(gc.get_count()[0] + allocations, 1000, 1000)
    gc.enable()
    count(1)
print("alive")
"""


def test_a_stream_that_the_collector_ends_in_the_middle_of_a_call_neither_hangs_nor_crashes_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", ABANDONED], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive")
