"""No way to a tool is left open in silence: it is guarded, refused, or named in a warning."""

from __future__ import annotations

import asyncio
import collections
import copy
import functools
import gc
import operator
import pickle
import textwrap
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from agentcop import NotArmed, PolicyBlocked
from searching import RAN, Agent, cop, search, wipe

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


class Scattered(Agent):
    shared: ClassVar = [wipe]

    def __init__(self) -> None:
        super().__init__()
        self.wipe, self.search, self.me, self._clock = wipe, cop().tool(search), self.run, time.time


def test_functions_that_stay_outside_the_gate_are_named_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        cop().wrap(Scattered())
    said = [record.getMessage().partition(";")[0] for record in caplog.records]
    assert said == [f"agentcop: not behind the gate: Scattered.{name}" for name in ("wipe", "shared")]
    caplog.clear()
    cop().wrap(Agent())
    assert not caplog.records


def test_what_cannot_be_guarded_says_so_instead_of_passing() -> None:
    class Nothing:
        def go(self) -> None:
            """Has no tools and no entry."""

    things: tuple[Any, ...] = (Nothing(), [], {"a": 1}, (search,), 5)
    for thing in things:
        with pytest.raises(NotArmed):
            cop().wrap(thing)


@pytest.mark.parametrize(
    ("thing", "words"), [(None, "this is None"), (Agent, "Agent is a class"), (textwrap, "textwrap is a module")]
)
def test_what_is_no_instance_is_named_as_what_it_is(thing: Any, words: str) -> None:
    with pytest.raises(NotArmed, match=words):
        cop().wrap(thing)
    if thing is not None:
        with pytest.raises(NotArmed, match=words):
            cop().tool(thing)


def test_a_namespace_is_guarded_without_the_modules_and_builtins_in_it() -> None:
    builtins, running = {"print": print}, {"run": textwrap.dedent}
    module = types.ModuleType("helpers")
    module.__dict__.update(running)
    cop().wrap({"search": search, "__builtins__": builtins, "helpers": module})
    assert builtins == {"print": print}
    assert module.__dict__["run"] is textwrap.dedent


def test_a_callable_that_is_neither_function_nor_tool_object_is_guarded_too() -> None:
    tools: dict[str, Any] = cop().wrap({"search": search, "wipe": functools.lru_cache(wipe)})
    with pytest.raises(PolicyBlocked):
        tools["wipe"]("/")


def test_framework_objects_without_an_adapter_are_refused_rather_than_half_guarded() -> None:
    foreign = type("AgentExecutor", (), {"__module__": "langchain.agents", "run": lambda self: None})()
    with pytest.raises(NotArmed, match="langchain"):
        cop().wrap(foreign)


def test_a_function_that_only_wears_the_looks_of_a_guarded_one_is_guarded_itself() -> None:
    guard = cop()
    guarded = guard.tool(search)

    @functools.wraps(guarded)
    def disguised(query: str) -> str:
        return wipe(query)

    tools = guard.wrap({"danger": disguised})
    for refused in (tools["danger"], cop(allow=["other"]).tool(disguised)):
        with pytest.raises(PolicyBlocked):
            refused("/")
    assert RAN == []


class Named:
    """A tool whose body says that it ran."""

    name = "wipe"

    def run(self, path: str) -> str:
        return wipe(path)


class Static(Named):
    @staticmethod
    def run(path: str) -> str:
        return wipe(path)


class Partial(Named):
    def _work(self, path: str) -> str:
        return wipe(path)

    run = functools.partialmethod(_work)


class OwnWay(Named):
    def __init__(self) -> None:
        self.invoke = wipe


class CalledWay(Named):
    def __init__(self) -> None:
        self.ainvoke = functools.partial(wipe)


WAYS: list[tuple[Any, Callable[[Any], Callable[..., Any]]]] = [
    (functools.lru_cache(wipe), lambda tool: tool),
    ((wipe, "schema"), lambda pair: pair[0]),
    (("wipe", Named()), lambda pair: pair[1].run),
    (Static(), lambda tool: tool.run),
    (Partial(), lambda tool: tool.run),
    (OwnWay(), lambda tool: tool.invoke),
    (OwnWay(), lambda tool: tool.run),
    (CalledWay(), lambda tool: tool.ainvoke),
]


@pytest.mark.parametrize(("tool", "way"), WAYS)
def test_every_kind_of_tool_beside_a_function_is_guarded_too(tool: Any, way: Callable[[Any], Any]) -> None:
    tools = cop().wrap({"search": search, "wipe": tool})
    with pytest.raises(PolicyBlocked):
        way(tools["wipe"])("/")
    assert RAN == []


class Unguardable(Named):
    __call__ = staticmethod(wipe)


@pytest.mark.parametrize(
    "tool",
    [Named, Unguardable(), {wipe}, collections.deque([wipe]), types.MappingProxyType({"wipe": wipe})],
)
def test_a_tool_beside_others_that_cannot_be_guarded_is_refused_rather_than_left_open(tool: Any) -> None:
    with pytest.raises(NotArmed):
        cop().wrap({"search": search, "wipe": tool})


def test_a_callable_that_is_no_function_is_judged_in_its_place() -> None:
    tools: dict[str, Any] = cop().wrap({"search": search, "wipe": operator.itemgetter(0)})
    with pytest.raises(PolicyBlocked):
        tools["wipe"](["/"])


class Holder:
    """An agent whose tools stand in more than one place."""

    def __init__(self, tools: Any) -> None:
        self.known = {"search": search}
        self.tools = tools

    def run(self, path: str) -> Any:
        return next(iter(self.tools)).run(path)


def test_tool_objects_in_a_tuple_of_an_agent_are_guarded() -> None:
    with pytest.raises(PolicyBlocked):
        cop().wrap(Holder((Named(),))).run("/")
    assert RAN == []


def test_functions_in_a_set_of_an_agent_are_refused_rather_than_left_open() -> None:
    with pytest.raises(NotArmed, match="set"):
        cop().wrap(Holder({wipe}))


def test_a_tuple_without_tools_stays_the_same_object() -> None:
    pair = ("a", 1)
    assert cop().wrap({"search": search, "other": pair})["other"] is pair


class Copying:
    """An agent that works on copies of its tools."""

    def __init__(self, how: Callable[[Any], Any]) -> None:
        self.tools = {"wipe": Named()}
        self._how = how

    def run(self, path: str) -> Any:
        return self._how(self.tools)["wipe"].run(path)


def _pickled(tools: Any) -> Any:
    return pickle.loads(pickle.dumps(tools))  # noqa: S301 -- reads what it wrote


@pytest.mark.parametrize("how", [copy.deepcopy, _pickled, lambda tools: {"wipe": Named()}])
def test_the_copy_of_a_tool_is_judged_within_the_run(how: Callable[[Any], Any]) -> None:
    with pytest.raises(PolicyBlocked):
        cop().wrap(Copying(how)).run("/")
    assert RAN == []


def test_the_copy_of_a_tool_in_a_thread_of_the_run_is_judged_by_the_cop_whose_run_is_in_flight() -> None:
    class Threading(Copying):
        def run(self, path: str) -> Any:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(copy.deepcopy(self.tools)["wipe"].run, path).result()

    with pytest.raises(PolicyBlocked):
        cop().wrap(Threading(copy.copy)).run("/")
    assert RAN == []


def test_another_instance_of_a_tools_class_runs_outside_any_policy_and_is_counted() -> None:
    gc.collect()  # a strict cop of an earlier test would refuse it
    guard = cop()
    guard.wrap(Named())
    assert Named().run("/") == "gone"
    assert guard.counts()["ungoverned"] == 1


class Leaving(Named):
    """Answers at once, and goes on in the background."""

    background: asyncio.Task[None]

    async def ainvoke(self, path: str) -> str:
        async def later() -> None:
            await asyncio.sleep(0)
            self.run(path)

        self.background = asyncio.create_task(later())
        return self.run(path)


def test_a_call_that_another_left_running_behind_it_is_a_call_of_its_own() -> None:
    guard = cop(allow=["wipe"])
    tool = guard.wrap(Leaving())

    async def both() -> None:
        await tool.ainvoke("/")
        await tool.background

    asyncio.run(both())
    assert RAN == ["wipe /"] * 2
    assert guard.counts()["allowed"] == 2
