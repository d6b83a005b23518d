"""LangChain 1's `create_agent`, alone, in a graph, and in another agent's tool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.adapters.langchain_parts import (
    DIRECT,
    INSTRUMENTORS,
    call_directly,
    config,
    lacks,
    model,
    rename,
    tool_of,
)
from tests.fault_matrix.adapters.plain import cancelled, from_a_loop, on_a_thread, on_an_executor, to_thread
from tests.fault_matrix.attempt import Call
from tests.fault_matrix.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fault_matrix.attempt import Job
    from tests.fault_matrix.harness import Feature, Path

ASK = {"messages": [{"role": "user", "content": "go"}]}
_NEXT = (Call(tool="search", arguments={"query": "x"}),)
"""What a swallower puts in the place of an answer that it did not get."""


def _bare(job: Job, turns: Sequence[Sequence[Call]]) -> tuple[Any, list[Any]]:
    from langchain.agents import create_agent

    tools = [tool_of(tool) for tool in job.tools]
    options: dict[str, Any] = {}
    if job.edited is not None:
        options = _dialogue(turns)
    elif job.swallow == "middleware":
        options = {"middleware": [_swallowing()]}
    return create_agent(model(turns), tools, **options), tools


def _agent(job: Job, turns: Sequence[Sequence[Call]] | None = None) -> Any:
    """The job's agent, behind the gate if there is one."""
    made, tools = _bare(job, job.turns if turns is None else turns)
    job.ask = call_directly(tools)
    job.govern(made, tools)
    if job.swallow == "with_retry":
        return made.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    return made.with_fallbacks([made]) if job.swallow == "with_fallbacks" else made


def _dialogue(turns: Sequence[Sequence[Call]]) -> dict[str, Any]:
    """A person is asked about each call before it is made, and the agent waits for that in its checkpointer."""
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langgraph.checkpoint.memory import InMemorySaver

    asked: dict[str, Any] = {call.tool: True for turn in turns for call in turn}
    return {"middleware": [HumanInTheLoopMiddleware(interrupt_on=asked)], "checkpointer": InMemorySaver()}


def _swallowing() -> Any:  # noqa: C901 -- four methods of one kind
    """Catches what the model call raises and goes on in the model's place; catches what a tool raises, too."""
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.messages import AIMessage, ToolMessage

    def instead() -> Any:
        calls = [{"name": each.tool, "args": dict(each.arguments), "id": "instead"} for each in _NEXT]
        return AIMessage(content="", tool_calls=calls)

    def hushed(request: Any) -> Any:
        return ToolMessage("it went well", tool_call_id=request.tool_call["id"])

    class Swallows(AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            try:
                return handler(request)
            except Exception:
                return instead()

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            try:
                return await handler(request)
            except Exception:
                return instead()

        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            try:
                return handler(request)
            except Exception:
                return hushed(request)

        async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
            try:
                return await handler(request)
            except Exception:
                return hushed(request)

    return Swallows()


def _inputs(job: Job) -> list[Any]:
    """What the agent is given, one after another: the user's words, then a person's edit."""
    if job.edited is None:
        return [ASK]
    from langgraph.types import Command

    action = {"name": job.edited.tool, "args": dict(job.edited.arguments)}
    decision = {"type": "edit", "edited_action": action}
    return [ASK, Command(resume={"decisions": [decision] * len(job.turns[0])})]


def _settings(job: Job) -> dict[str, Any]:
    settings = config(job)
    if job.swallow == "middleware":
        settings["recursion_limit"] = 60  # it never stops by itself
    return settings


def _each(job: Job, made: Any, run: Callable[[Any, Any, dict[str, Any]], object]) -> None:
    settings = _settings(job)
    for given in _inputs(job):
        run(made, given, settings)


def _running(run: Callable[[Any, Any, dict[str, Any]], object]) -> Callable[[Job], None]:
    return lambda job: _each(job, _agent(job), run)


def _awaiting(run: Callable[[Any, Any, dict[str, Any]], Any]) -> Callable[[Job], None]:
    def way(job: Job) -> None:
        async def work() -> None:
            made, settings = _agent(job), _settings(job)
            for given in _inputs(job):
                await run(made, given, settings)

        cancelled(job, work())

    return way


def _at_once(run: Callable[[Any, Any, dict[str, Any]], object]) -> Callable[[Job], None]:
    def way(job: Job) -> None:
        job.turns = [job.at_once]
        _each(job, _agent(job), run)

    return way


async def _collected(stream: Any) -> None:
    async for _ in stream:
        pass


def _elsewhere(place: Callable[[Callable[[], object]], None]) -> Callable[[Job], None]:
    return lambda job: place(lambda: _each(job, _agent(job), _invoke))


def _invoke(made: Any, given: Any, settings: dict[str, Any]) -> object:
    return made.invoke(given, settings)


def _batch(made: Any, given: Any, settings: dict[str, Any]) -> object:
    return made.batch([given, given], [settings, _other(settings)])


def _as_completed(made: Any, given: Any, settings: dict[str, Any]) -> object:
    return list(made.batch_as_completed([given, given], [settings, _other(settings)]))


def _other(settings: dict[str, Any]) -> dict[str, Any]:
    thread = settings["configurable"]["thread_id"]
    return {**settings, "configurable": {"thread_id": f"{thread} beside"}}


def _in_a_tool(job: Job) -> None:
    """An agent that nobody wrapped, inside a tool of the one that is wrapped."""
    from langchain.agents import create_agent
    from langchain_core.tools import StructuredTool

    inner, tools = _bare(job, job.turns)
    job.ask = call_directly(tools)

    def delegate() -> str:
        """Let another agent do it."""
        return str(inner.invoke(ASK, _settings(job))["messages"][-1].content)

    outer = create_agent(model([[Call(tool="delegate")]]), [StructuredTool.from_function(delegate)])
    job.govern(outer, tools)
    outer.invoke(ASK, _settings(job))


def _in_an_async_tool(job: Job) -> None:
    from langchain.agents import create_agent
    from langchain_core.tools import StructuredTool

    inner, tools = _bare(job, job.turns)

    async def delegate() -> str:
        """Let another agent do it."""
        return str((await inner.ainvoke(ASK, _settings(job)))["messages"][-1].content)

    outer = create_agent(model([[Call(tool="delegate")]]), [StructuredTool.from_function(coroutine=delegate)])
    job.govern(outer, tools)
    asyncio.run(outer.ainvoke(ASK, _settings(job)))


def _as_a_node(job: Job) -> None:
    from langgraph.graph import END, START, MessagesState, StateGraph

    inner, tools = _bare(job, job.turns)
    graph = StateGraph(MessagesState)
    graph.add_node("inner", inner)
    graph.add_edge(START, "inner")
    graph.add_edge("inner", END)
    outer = graph.compile()
    job.govern(outer, tools)
    outer.invoke(ASK, _settings(job))


def _lacks(feature: Feature, path: Path) -> str:
    if feature == "editing":
        return {
            "direct": "no agent runs here: there is no dialogue",
            "sub-agent": "an inner agent that waits for a person needs a dialogue of the outer one",
        }.get(path, "")
    if feature == "renaming":
        return "" if path == "direct" else "create_agent raises where a tool has changed its name"
    return lacks(feature, path)


CREATE_AGENT = Harness(
    name="LangChain 1 create_agent",
    environment="langchain1",
    ways={
        "sync": {
            "invoke": _running(_invoke),
            "with_config": _running(lambda made, given, c: made.with_config(tags=["t"]).invoke(given, c)),
            "in a sequence": _running(lambda made, given, c: (made | str).invoke(given, c)),
        },
        "async": {"ainvoke": _awaiting(lambda made, given, c: made.ainvoke(given, c))},
        "stream": {
            "stream": _running(lambda made, given, c: list(made.stream(given, c))),
            "values": _running(lambda made, given, c: list(made.stream(given, c, stream_mode="values"))),
            "messages": _running(lambda made, given, c: list(made.stream(given, c, stream_mode="messages"))),
            "debug": _running(lambda made, given, c: list(made.stream(given, c, stream_mode="debug"))),
        },
        "async stream": {
            "astream": _awaiting(lambda made, given, c: _collected(made.astream(given, c))),
            "messages": _awaiting(lambda made, given, c: _collected(made.astream(given, c, stream_mode="messages"))),
            "events": _awaiting(lambda made, given, c: _collected(made.astream_events(given, c, version="v2"))),
        },
        "batch": {
            "batch": _running(_batch),
            "abatch": _awaiting(lambda made, given, c: made.abatch([given, given], [c, _other(c)])),
            "as completed": _running(_as_completed),
        },
        "parallel": {
            "invoke": _at_once(_invoke),
            "ainvoke": _at_once(lambda made, given, c: asyncio.run(made.ainvoke(given, c))),
            "stream": _at_once(lambda made, given, c: list(made.stream(given, c))),
        },
        "thread": {"Thread": _elsewhere(on_a_thread)},
        "executor": {
            "ThreadPoolExecutor": _elsewhere(on_an_executor),
            "run_in_executor": _elsewhere(from_a_loop),
            "to_thread": _elsewhere(to_thread),
        },
        "sub-agent": {"in a tool": _in_a_tool, "in an async tool": _in_an_async_tool, "as a node": _as_a_node},
        "direct": DIRECT,
    },
    lacks=_lacks,
    rename=rename,
    armed=("langchain_core.tools", "langchain_openai", "langchain.agents"),
    instrumentors=INSTRUMENTORS,
    swallowers=lambda path: (
        ("with_retry", "with_fallbacks") if path == "direct" else ("middleware", "with_retry", "with_fallbacks")
    ),
)
