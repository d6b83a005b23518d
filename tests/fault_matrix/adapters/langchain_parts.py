"""What LangChain's agents are built from: tools of ours, and OpenAI's client in front of a scripted server."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.adapters.scripted import CLOSE, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fault_matrix.attempt import Call, Job, Tool
    from tests.fault_matrix.harness import Feature, Path

INSTRUMENTORS = (
    ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
)
"""Of LangChain 1: each takes a place between the agent and its tools."""
_numbers = itertools.count()


def model(turns: Sequence[Sequence[Call]]) -> Any:
    """OpenAI's model as LangChain asks it, which asks for these turns in every conversation."""
    from langchain_openai import ChatOpenAI

    url, name = scripted(turns)
    return ChatOpenAI(model=name, api_key="none", base_url=url, max_retries=0, default_headers=CLOSE)


def tool_of(tool: Tool) -> Any:
    """As LangChain's: validation of its own is a validator of the schema."""
    from langchain_core.tools import StructuredTool

    how: dict[str, Any] = {"coroutine" if inspect.iscoroutinefunction(tool.body) else "func": tool.body}
    made = StructuredTool.from_function(name=tool.name, description="A tool.", **how)
    if tool.validate is not None:
        made.args_schema = _validating(made.args_schema, tool.validate)
    return made


def _validating(schema: Any, validate: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    from pydantic import create_model, model_validator

    def apply(cls: type, data: Any) -> Any:
        return validate(dict(data))

    checked: Any = model_validator(mode="before")(classmethod(apply))  # type: ignore[arg-type]  # pydantic takes both
    return create_model(schema.__name__, __base__=schema, __validators__={"checked": checked})


def call_directly(tools: Sequence[Any]) -> Callable[[str, Mapping[str, Any]], object]:
    """From a name and arguments to a tool's result, as a body that calls it by itself."""
    named = {tool.name: tool for tool in tools}
    return lambda name, arguments: named[name].invoke(dict(arguments))


def config(job: Job) -> dict[str, Any]:
    """For one run: room for many turns, a thread of its own, and the job's callback."""
    return {
        "recursion_limit": 5_000,
        "configurable": {"thread_id": f"{next(_numbers)}"},
        "callbacks": [_callback(job.rewrite)] if job.rewrite is not None else [],
    }


def _callback(rewrite: Callable[[Any], None]) -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    class Rewrites(BaseCallbackHandler):
        run_inline = True

        def on_tool_start(self, serialized: Any, input_str: str, *, inputs: Any = None, **kwargs: Any) -> None:
            rewrite(inputs)

    return Rewrites()


def each_call(job: Job, tools: Sequence[Any], ask: Callable[[Any, Call], object]) -> None:
    """Make the job's calls of these tools one after another, whatever becomes of each; raise the last failure."""
    named = {tool.name: tool for tool in tools}
    failed: Exception | None = None
    for call in job.calls:
        try:
            ask(named[call.tool], call)
        except Exception as error:
            failed = error
    if failed is not None:
        raise failed


def directly(ask: Callable[[Any, Call, dict[str, Any]], object]) -> Callable[[Job], None]:
    """A way: the tools are wrapped as a list, and called without an agent."""

    def way(job: Job) -> None:
        tools = [tool_of(tool) for tool in job.tools]
        job.ask = call_directly(tools)
        job.govern(tools, tools)
        swallow: Callable[[Any], Any] = {
            "": lambda tool: tool,
            "with_retry": lambda tool: tool.with_retry(stop_after_attempt=2, wait_exponential_jitter=False),
            "with_fallbacks": lambda tool: tool.with_fallbacks([tool]),
        }[job.swallow]
        each_call(job, tools, lambda tool, call: ask(swallow(tool), call, config(job)))

    return way


def _tool_call(call: Call) -> dict[str, Any]:
    return {"type": "tool_call", "id": "direct", "name": call.tool, "args": dict(call.arguments)}


def _on_a_thread(tool: Any, call: Call, config: dict[str, Any]) -> None:
    thread = threading.Thread(target=lambda: _quietly(lambda: tool.invoke(dict(call.arguments), config)))
    thread.start()
    thread.join()


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        return


DIRECT: dict[str, Callable[[Job], None]] = {
    "invoke": directly(lambda tool, call, config: tool.invoke(dict(call.arguments), config)),
    "invoke a tool call": directly(lambda tool, call, config: tool.invoke(_tool_call(call), config)),
    "run": directly(lambda tool, call, config: tool.run(dict(call.arguments), callbacks=config["callbacks"])),
    "ainvoke": directly(lambda tool, call, config: asyncio.run(tool.ainvoke(dict(call.arguments), config))),
    "arun": directly(lambda tool, call, config: asyncio.run(tool.arun(dict(call.arguments)))),
    "batch": directly(lambda tool, call, config: tool.batch([dict(call.arguments)] * 2, config)),
    "abatch": directly(lambda tool, call, config: asyncio.run(tool.abatch([dict(call.arguments)] * 2, config))),
    "stream": directly(lambda tool, call, config: list(tool.stream(dict(call.arguments), config))),
    "bound": directly(lambda tool, call, config: tool.with_config(tags=["t"]).invoke(dict(call.arguments), config)),
    "in a sequence": directly(lambda tool, call, config: (tool | str).invoke(dict(call.arguments), config)),
    "on a thread": directly(_on_a_thread),
}


def lacks(feature: Feature, path: Path) -> str:
    """As `Harness.lacks`, for what all of LangChain's agents have in common."""
    awaited = path in {"async", "async stream"}
    direct = path == "direct"
    return {
        "objects": "" if direct else "what a model asks for is JSON",
        "positional": "a LangChain tool takes its arguments by name",
        "a run": "no agent runs here: nobody counts refusals" if direct else "",
        "a model": "no agent runs here: no model is asked again" if direct else "",
        "async": "" if awaited else "nothing here can be cancelled",
        "async bodies": "" if awaited else "a sync run cannot await its tools",
        "async agent": "" if awaited else "the agent is not async",
        "generator bodies": "LangChain iterates no generator: such a body never runs",
        "editing": "this kind of agent has no dialogue in which a call is edited",
        "unprintable objects": "LangChain makes a text of a tool's input before the body gets it",
    }.get(feature, "")


def rename(tool: Any, name: str) -> None:
    """A tool's name is an attribute like any other."""
    tool.name = name
