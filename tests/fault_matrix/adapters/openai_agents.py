"""Agents of the OpenAI Agents SDK: run, streamed, in each other's tools, and handed over to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from json import dumps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from tests.fault_matrix.adapters.plain import cancelled, from_a_loop, on_a_thread, on_an_executor, to_thread
from tests.fault_matrix.adapters.scripted import CLOSE, scripted
from tests.fault_matrix.attempt import Call
from tests.fault_matrix.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fault_matrix.attempt import Job, Tool
    from tests.fault_matrix.harness import Feature, Path, Way

_TURNS = 1_000


def _model(turns: Sequence[Sequence[Call]]) -> Any:
    from agents import OpenAIChatCompletionsModel, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(disabled=True)  # its own exporter would send every trace to its maker
    url, name = scripted(turns)
    client = AsyncOpenAI(api_key="none", base_url=url, max_retries=0, default_headers=CLOSE)
    return OpenAIChatCompletionsModel(model=name, openai_client=client)


def _tool(tool: Tool) -> Any:
    from agents import function_tool

    if tool.validate is not None:
        _annotate(tool.body, tool.validate)
    return function_tool(tool.body, name_override=tool.name, description_override="A tool.", strict_mode=False)


def _annotate(body: Callable[..., Any], validate: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The SDK validates arguments by the annotations of the body."""
    from pydantic import BeforeValidator

    for name, kind in get_type_hints(body).items():
        if name != "return":
            checked = BeforeValidator(lambda value, name=name: validate({name: value})[name])
            body.__annotations__[name] = Annotated[kind, checked]


def _call(tool: Any, arguments: Mapping[str, Any]) -> Any:
    """From a coroutine: the tool's own entry, as the SDK calls it."""
    from agents.tool_context import ToolContext

    text = dumps(dict(arguments))
    context: Any = ToolContext(context=None, tool_name=tool.name, tool_call_id="direct", tool_arguments=text)
    return tool.on_invoke_tool(context, text)


def _asking(tools: Sequence[Any]) -> Callable[[str, Mapping[str, Any]], object]:
    """On a thread of its own, in the caller's context: the caller may be in a loop."""

    def ask(name: str, arguments: Mapping[str, Any]) -> object:
        tool = next(each for each in tools if each.name == name)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(copy_context().run, asyncio.run, _call(tool, arguments)).result()

    return ask


def _bare(job: Job, turns: Sequence[Sequence[Call]], name: str = "assistant") -> tuple[Any, list[Any]]:
    from agents import Agent

    tools = [_tool(tool) for tool in job.tools]
    return Agent(name=name, model=_model(turns), tools=list(tools)), tools


def _agent(job: Job) -> Any:
    """The job's agent, behind the gate if there is one."""
    made, tools = _bare(job, job.turns)
    job.ask = _asking(tools)
    job.govern(made, tools)
    return made


async def _run(made: Any) -> None:
    from agents import Runner

    await Runner.run(made, "go", max_turns=_TURNS)


async def _streamed(made: Any) -> None:
    from agents import Runner

    result = Runner.run_streamed(made, "go", max_turns=_TURNS)
    async for _ in result.stream_events():
        pass


def _sync(job: Job) -> None:
    from agents import Runner

    Runner.run_sync(_agent(job), "go", max_turns=_TURNS)


def _awaiting(run: Callable[[Any], Any]) -> Way:
    def way(job: Job) -> None:
        async def work() -> None:
            await run(_agent(job))

        cancelled(job, work())

    return way


async def _twice(made: Any) -> None:
    for raised in await asyncio.gather(_run(made), _run(made), return_exceptions=True):
        if isinstance(raised, BaseException):
            raise raised


def _at_once(run: Callable[[Any], Any]) -> Way:
    def way(job: Job) -> None:
        job.turns = [job.at_once]
        asyncio.run(run(_agent(job)))

    return way


def _elsewhere(place: Callable[[Callable[[], object]], None]) -> Way:
    return lambda job: place(lambda: asyncio.run(_run(_agent(job))))


def _as_a_tool(run: Callable[[Any], Any]) -> Way:
    """An agent that nobody wrapped, as a tool of the one that is wrapped; what it raises is hushed up there."""

    def way(job: Job) -> None:
        from agents import Agent

        inner, tools = _bare(job, job.turns, "inner")
        job.ask = _asking(tools)
        delegate = inner.as_tool(
            "delegate", "Let another agent do it.", failure_error_function=_hushed, max_turns=_TURNS
        )
        outer = Agent(
            name="outer", model=_model([[Call(tool="delegate", arguments={"input": "go"})]]), tools=[delegate]
        )
        job.govern(outer, tools)
        asyncio.run(run(outer))

    return way


def _hushed(context: Any, error: Exception) -> str:
    return "it went well"


def _handed_over(job: Job) -> None:
    """The wrapped agent hands over to one that nobody wrapped."""
    from agents import Agent

    hand = [Call(tool="transfer_to_inner")]
    inner, tools = _bare(job, [hand, *job.turns], "inner")
    job.ask = _asking(tools)
    outer = Agent(name="outer", model=_model([hand]), handoffs=[inner])
    job.govern(outer, tools)
    asyncio.run(_run(outer))


def _directly(wrap: Callable[[Job, list[Any]], None]) -> Way:
    def way(job: Job) -> None:
        tools = [_tool(tool) for tool in job.tools]
        job.ask = _asking(tools)
        wrap(job, tools)
        failed: list[Exception] = []
        for call in job.calls:
            try:
                asyncio.run(_call(next(each for each in tools if each.name == call.tool), call.arguments))
            except Exception as error:
                failed.append(error)
        if failed:
            raise failed[-1]

    return way


def _together(job: Job, tools: list[Any]) -> None:
    job.govern(tools, tools)


def _each(job: Job, tools: list[Any]) -> None:
    for tool in tools:
        job.govern(tool, [tool])


def _lacks(feature: Feature, path: Path) -> str:
    awaited = path in {"async", "async stream"}
    direct = path == "direct"
    return {
        "objects": "the SDK hands a tool its arguments as JSON",
        "unprintable objects": "the SDK hands a tool its arguments as JSON",
        "renaming": "the SDK raises where one of several calls names a tool that is not there"
        if path == "parallel"
        else "nobody wrapped the inner agent: its tools have the names that they have when they are called"
        if path == "sub-agent"
        else "",
        "surrogates": "the SDK's client cannot send such a text back to its model",
        "positional": "the SDK hands a tool its arguments as JSON",
        "a run": "no agent runs here: nobody counts refusals" if direct else "",
        "a model": "no agent runs here: no model is asked again" if direct else "",
        "async": "" if awaited else "nothing here can be cancelled",
        "async agent": "" if awaited else "the agent is not async",
        "generator bodies": "the SDK iterates no generator: such a body never runs",
        "callbacks": "the SDK shows its hooks the arguments as text",
        "editing": "the SDK's dialogue approves and rejects; it edits nothing",
    }.get(feature, "")


def _rename(tool: Any, name: str) -> None:
    tool.name = name


OPENAI_AGENTS = Harness(
    name="OpenAI Agents SDK",
    environment="openai_agents",
    ways={
        "sync": {"run_sync": _sync},
        "async": {"run": _awaiting(_run)},
        "stream": "a streamed run is iterated asynchronously only",
        "async stream": {"run_streamed": _awaiting(_streamed)},
        "batch": {"gathered": _awaiting(_twice)},
        "parallel": {"run": _at_once(_run), "run_streamed": _at_once(_streamed)},
        "thread": {"Thread": _elsewhere(on_a_thread)},
        "executor": {
            "ThreadPoolExecutor": _elsewhere(on_an_executor),
            "run_in_executor": _elsewhere(from_a_loop),
            "to_thread": _elsewhere(to_thread),
        },
        "sub-agent": {
            "as a tool": _as_a_tool(_run),
            "as a tool, streamed": _as_a_tool(_streamed),
            "handed over to": _handed_over,
        },
        "direct": {
            "from a list": _directly(_together),
            "each": _directly(_each),
        },
    },
    lacks=_lacks,
    rename=_rename,
    swallowers=lambda path: ("",),
    armed=("agents",),
)
