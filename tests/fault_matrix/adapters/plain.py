"""Plain Python: an agent that holds its tools in a dict, and functions that are called as they are."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Literal

from tests.fault_matrix.attempt import Call
from tests.fault_matrix.harness import Harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence

    from tests.fault_matrix.attempt import Job, Tool
    from tests.fault_matrix.harness import Feature, Path

_LOOK = 0.02
"""Seconds between looks at whether the caller has given up."""
Turn = Literal["in order", "on threads", "on bare threads", "gathered"]
"""How an agent makes the calls of one turn; `on threads` takes the run's context along, `on bare threads` does not."""


def function_of(tool: Tool) -> Callable[..., Any]:
    """The tool as an agent holds it: its body under its name, behind its validation if it has one."""
    body = tool.body
    if tool.validate is not None:
        body = _validated(tool.body, tool.validate)
    body.__name__ = tool.name
    return body


def _validated(body: Callable[..., Any], validate: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        return body(**validate(arguments))

    return call


def _arguments(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (tuple(call.arguments.values()), {}) if call.positional else ((), dict(call.arguments))


class Agent:
    """Makes the calls that its model asks for, and feeds whatever they answer or raise back to it."""

    def __init__(self, tools: Mapping[str, Callable[..., Any]], turn: Turn = "in order") -> None:
        """`tools` by name."""
        self.tools = dict(tools)
        self._turn = turn

    def ask(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """As a body that calls another tool by itself."""
        return self.tools[name](**arguments)

    def _call(self, call: Call) -> str:
        args, kwargs = _arguments(call)
        try:
            result = self.tools[call.tool](*args, **kwargs)
            if inspect.isgenerator(result):
                return str(list(result))
            return str(asyncio.run(_finished(result)) if inspect.isawaitable(result) else result)
        except Exception as error:
            return f"{call.tool} failed: {type(error).__name__}"

    async def _acall(self, call: Call) -> str:
        args, kwargs = _arguments(call)
        try:
            return str(await _finished(self.tools[call.tool](*args, **kwargs)))
        except Exception as error:
            return f"{call.tool} failed: {type(error).__name__}"

    def _make(self, turn: Sequence[Call]) -> list[str]:
        if self._turn == "in order":
            return [self._call(call) for call in turn]
        carried = self._turn == "on threads"
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(_carrying(self._call) if carried else self._call, call) for call in turn]
            return [each.result() for each in asked]

    async def _amake(self, turn: Sequence[Call]) -> list[str]:
        if self._turn == "gathered":
            return await asyncio.gather(*(self._acall(call) for call in turn))
        return [await self._acall(call) for call in turn]

    def invoke(self, turns: Sequence[Sequence[Call]]) -> list[str]:
        """Run to the end."""
        return [said for turn in turns for said in self._make(turn)]

    def run(self, turns: Sequence[Sequence[Call]]) -> list[str]:
        """The same under another name."""
        return [said for turn in turns for said in self._make(turn)]

    def __call__(self, turns: Sequence[Sequence[Call]]) -> list[str]:
        """The same under another name."""
        return [said for turn in turns for said in self._make(turn)]

    async def ainvoke(self, turns: Sequence[Sequence[Call]]) -> list[str]:
        """Run to the end."""
        return [said for turn in turns for said in await self._amake(turn)]

    async def arun(self, turns: Sequence[Sequence[Call]]) -> list[str]:
        """The same under another name."""
        return [said for turn in turns for said in await self._amake(turn)]

    def stream(self, turns: Sequence[Sequence[Call]]) -> Iterator[str]:
        """One item a call."""
        for turn in turns:
            yield from self._make(turn)

    async def astream(self, turns: Sequence[Sequence[Call]]) -> AsyncIterator[str]:
        """One item a call."""
        for turn in turns:
            for said in await self._amake(turn):
                yield said


def _carrying(work: Callable[[Call], str]) -> Callable[[Call], str]:
    """The same in this context, wherever it is called."""
    context = copy_context()
    return lambda call: context.run(work, call)


async def _finished(result: Any) -> Any:
    """What an async caller gets in the end."""
    if inspect.isasyncgen(result):
        return [item async for item in result]
    if inspect.isgenerator(result):
        return list(result)
    return await result if inspect.isawaitable(result) else result


def agent(job: Job, turn: Turn = "in order") -> Agent:
    """The job's agent, behind the gate if there is one."""
    made = Agent({tool.name: function_of(tool) for tool in job.tools}, turn)
    job.govern(made, made.tools.values())
    job.ask = made.ask
    return made


def cancelled(job: Job, work: Coroutine[Any, Any, object]) -> None:
    """Run it to its end, or until the job's caller gives up."""

    async def run() -> None:
        running = asyncio.ensure_future(work)
        while job.give_up is not None and not running.done():
            if job.give_up.is_set():
                running.cancel()
            await asyncio.wait([running], timeout=_LOOK)
        await running

    asyncio.run(run())


def _streamed(job: Job) -> None:
    list(agent(job).stream(job.turns))


def _astreamed(job: Job) -> None:
    async def collect() -> None:
        made = agent(job)
        async for _ in made.astream(job.turns):
            pass

    cancelled(job, collect())


def _batch(job: Job) -> None:
    made = agent(job)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(made.invoke, [job.turns, job.turns]))


def _gathered_runs(job: Job) -> None:
    async def both() -> None:
        made = agent(job)
        await asyncio.gather(made.ainvoke(job.turns), made.ainvoke(job.turns), return_exceptions=True)

    asyncio.run(both())


def on_a_thread(work: Callable[[], object]) -> None:
    """Run it on a thread that has no context; what it raises is raised here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in failed:
        raise error


def on_an_executor(work: Callable[[], object]) -> None:
    """Run it on a pool's thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def from_a_loop(work: Callable[[], object]) -> None:
    """Run it on the event loop's executor."""

    async def run() -> None:
        await asyncio.get_running_loop().run_in_executor(None, work)

    asyncio.run(run())


def to_thread(work: Callable[[], object]) -> None:
    """Run it by `asyncio.to_thread`."""

    async def run() -> None:
        await asyncio.to_thread(work)

    asyncio.run(run())


def _sub_agent(job: Job) -> None:
    """The outer agent's tool runs the inner one; both are behind the same gate, for nobody sees a bare function."""
    inner = agent(job)
    outer = Agent({"delegate": lambda: inner.invoke(job.turns)})
    job.govern(outer, [])
    outer.invoke([[Call(tool="delegate")]])


def _directly(job: Job, tools: Mapping[str, Callable[..., Any]]) -> None:
    job.ask = lambda name, arguments: tools[name](**arguments)
    Agent.invoke(_Holding(tools), job.turns)


class _Holding(Agent):
    """Calls tools one after another; nobody wraps it."""

    def __init__(self, tools: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__({})
        self.tools = tools  # type: ignore[assignment]  # the very dict that was wrapped


def _from_a_dict(job: Job) -> None:
    tools = {tool.name: function_of(tool) for tool in job.tools}
    _directly(job, job.govern(tools, tools.values()))


def _from_a_list(job: Job) -> None:
    tools = [function_of(tool) for tool in job.tools]
    job.govern(tools, tools)
    _directly(job, dict(zip((tool.name for tool in job.tools), tools, strict=True)))


def _alone(job: Job) -> None:
    tools = {tool.name: job.govern(function_of(tool), []) for tool in job.tools}
    _directly(job, tools)


def _awaited(job: Job) -> None:
    tools = {tool.name: function_of(tool) for tool in job.tools}
    holding = _Holding(job.govern(tools, tools.values()))
    cancelled(job, Agent.ainvoke(holding, job.turns))


def _lacks(feature: Feature, path: Path) -> str:
    awaited = path in {"async", "async stream"}
    return {
        "a run": "no agent runs here: nobody counts refusals" if path == "direct" else "",
        "a model": "a plain agent's model is not seen: a call after a refusal is judged as usual",
        "async": "" if awaited else "nothing here can be cancelled",
        "callbacks": "plain functions have no callbacks between the verdict and the body",
        "validators": "what changes a plain function's arguments is part of its body",
        "editing": "plain Python has no dialogue in which a call is edited",
        "async agent": "" if awaited else "the agent is not async",
    }.get(feature, "")


def _rename(function: Any, name: str) -> None:
    function.__name__ = function.__qualname__ = name


PLAIN = Harness(
    name="plain Python",
    environment="langchain1",
    ways={
        "sync": {
            "invoke": lambda job: _drop(agent(job).invoke(job.turns)),
            "run": lambda job: _drop(agent(job).run(job.turns)),
            "call": lambda job: _drop(agent(job)(job.turns)),
        },
        "async": {
            "ainvoke": lambda job: cancelled(job, agent(job).ainvoke(job.turns)),
            "arun": lambda job: cancelled(job, agent(job).arun(job.turns)),
        },
        "stream": {"stream": _streamed},
        "async stream": {"astream": _astreamed},
        "batch": {"on a pool": _batch, "gathered": _gathered_runs},
        "parallel": {
            "on threads": lambda job: _drop(agent(job, "on threads").invoke([job.at_once])),
            "on bare threads": lambda job: _drop(agent(job, "on bare threads").invoke([job.at_once])),
            "gathered": lambda job: cancelled(job, agent(job, "gathered").ainvoke([job.at_once])),
        },
        "thread": {"Thread": lambda job: on_a_thread(lambda: agent(job).invoke(job.turns))},
        "executor": {
            "ThreadPoolExecutor": lambda job: on_an_executor(lambda: agent(job).invoke(job.turns)),
            "run_in_executor": lambda job: from_a_loop(lambda: agent(job).invoke(job.turns)),
            "to_thread": lambda job: to_thread(lambda: agent(job).invoke(job.turns)),
        },
        "sub-agent": {"in a tool": _sub_agent},
        "direct": {
            "from a dict": _from_a_dict,
            "from a list": _from_a_list,
            "wrapped alone": _alone,
            "awaited": _awaited,
        },
    },
    lacks=_lacks,
    rename=_rename,
    swallowers=lambda path: ("",),
)


def _drop(result: object) -> None:
    """A way gives nothing back."""
