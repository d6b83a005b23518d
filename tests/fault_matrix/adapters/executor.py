"""LangChain's `AgentExecutor`: of langchain 0.3, and of langchain-classic beside langchain 1."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib import import_module
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
    from tests.fault_matrix.harness import Feature, Path, Way

ASK = {"input": "go"}


def _executor(turns: Sequence[Sequence[Call]], tools: Sequence[Any]) -> Any:
    from importlib.util import find_spec

    from langchain_core.prompts import ChatPromptTemplate

    agents = import_module("langchain_classic.agents" if find_spec("langchain_classic") else "langchain.agents")
    prompt = ChatPromptTemplate.from_messages([("user", "{input}"), ("placeholder", "{agent_scratchpad}")])
    agent = agents.create_tool_calling_agent(model(turns), tools, prompt)
    return agents.AgentExecutor(agent=agent, tools=tools, max_iterations=1_000)


def _agent(job: Job) -> Any:
    """The job's agent, behind the gate if there is one."""
    tools = [tool_of(tool) for tool in job.tools]
    made = _executor(job.turns, tools)
    job.ask = call_directly(tools)
    job.govern(made, tools)
    if job.swallow == "with_retry":
        return made.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    return made.with_fallbacks([made]) if job.swallow == "with_fallbacks" else made


def _running(run: Callable[[Any, dict[str, Any]], object]) -> Way:
    def way(job: Job) -> None:
        run(_agent(job), config(job))

    return way


def _awaiting(run: Callable[[Any, dict[str, Any]], Any]) -> Way:
    def way(job: Job) -> None:
        async def work() -> None:
            await run(_agent(job), config(job))

        cancelled(job, work())

    return way


def _at_once(run: Callable[[Any, dict[str, Any]], object]) -> Way:
    def way(job: Job) -> None:
        job.turns = [job.at_once]
        run(_agent(job), config(job))

    return way


async def _collected(stream: Any) -> None:
    async for _ in stream:
        pass


def _elsewhere(place: Callable[[Callable[[], object]], None]) -> Way:
    return lambda job: place(lambda: _agent(job).invoke(ASK, config(job)))


def _sub_agent(job: Job) -> None:
    """An executor that nobody wrapped, inside a tool of the one that is wrapped."""
    from langchain_core.tools import StructuredTool

    tools = [tool_of(tool) for tool in job.tools]
    inner = _executor(job.turns, tools)
    job.ask = call_directly(tools)

    def delegate() -> str:
        """Let another agent do it."""
        return str(inner.invoke(ASK, config(job))["output"])

    outer = _executor([[Call(tool="delegate")]], [StructuredTool.from_function(delegate)])
    job.govern(outer, tools)
    outer.invoke(ASK, config(job))


def _async_sub_agent(job: Job) -> None:
    from langchain_core.tools import StructuredTool

    tools = [tool_of(tool) for tool in job.tools]
    inner = _executor(job.turns, tools)

    async def delegate() -> str:
        """Let another agent do it."""
        return str((await inner.ainvoke(ASK, config(job)))["output"])

    outer = _executor([[Call(tool="delegate")]], [StructuredTool.from_function(coroutine=delegate)])
    job.govern(outer, tools)
    asyncio.run(outer.ainvoke(ASK, config(job)))


def _lacks(feature: Feature, path: Path) -> str:
    if feature == "renaming" and path == "sub-agent":
        return "nobody wrapped the inner agent: its tools have the names that they have when they are called"
    return lacks(feature, path)


EXECUTOR_CLASSIC = Harness(
    name="LangChain 1 AgentExecutor",
    environment="langchain1",
    ways={
        "sync": {
            "invoke": _running(lambda made, c: made.invoke(ASK, c)),
            "iter": _running(lambda made, c: list(made.iter(ASK, callbacks=c["callbacks"]))),
            "in a sequence": _running(lambda made, c: (made | str).invoke(ASK, c)),
        },
        "async": {
            "ainvoke": _awaiting(lambda made, c: made.ainvoke(ASK, c)),
            "aiter": _awaiting(lambda made, c: _collected(made.iter(ASK, callbacks=c["callbacks"]))),
        },
        "stream": {"stream": _running(lambda made, c: list(made.stream(ASK, c)))},
        "async stream": {
            "astream": _awaiting(lambda made, c: _collected(made.astream(ASK, c))),
            "events": _awaiting(lambda made, c: _collected(made.astream_events(ASK, c, version="v2"))),
        },
        "batch": {
            "batch": _running(lambda made, c: made.batch([ASK, ASK], c)),
            "abatch": _awaiting(lambda made, c: made.abatch([ASK, ASK], c)),
            "as completed": _running(lambda made, c: list(made.batch_as_completed([ASK, ASK], c))),
        },
        "parallel": {
            "invoke": _at_once(lambda made, c: made.invoke(ASK, c)),
            "ainvoke": _at_once(lambda made, c: asyncio.run(made.ainvoke(ASK, c))),
        },
        "thread": {"Thread": _elsewhere(on_a_thread)},
        "executor": {
            "ThreadPoolExecutor": _elsewhere(on_an_executor),
            "run_in_executor": _elsewhere(from_a_loop),
            "to_thread": _elsewhere(to_thread),
        },
        "sub-agent": {"in a tool": _sub_agent, "in an async tool": _async_sub_agent},
        "direct": DIRECT,
    },
    lacks=_lacks,
    rename=rename,
    armed=("langchain_core.tools", "langchain_openai", "langchain.agents"),
    instrumentors=INSTRUMENTORS,
    swallowers=lambda path: ("with_retry", "with_fallbacks"),
)
EXECUTOR_03 = replace(EXECUTOR_CLASSIC, name="LangChain 0.3 AgentExecutor", environment="langchain03", instrumentors=())
