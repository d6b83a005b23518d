"""LangChain and LangGraph: tools by `BaseTool`, models by `BaseChatModel`, agents by `Pregel` and `Chain`."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from agentcop._patches import is_patched
from agentcop.adapters._interface import (
    CANARY,
    Canary,
    CopyTarget,
    EntryTarget,
    HandoverTarget,
    ModelTarget,
    ToolTarget,
)
from agentcop.adapters._langchain_arguments import (
    PARSER,
    no_call,
    parse_own_invoke,
    parse_own_run,
    parse_run,
    take,
)
from agentcop.adapters._langchain_mcp import name_at_server
from agentcop.adapters._langchain_words import (
    conversation,
    model_answered,
    model_asked,
    refuse,
    result_text,
    said_to_agent,
    told_to_model,
)
from agentcop.adapters._places import classes, is_any, is_imported
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop._registry import Role
    from agentcop.adapters._interface import ScopeTarget

_TOOL = ("langchain_core.tools.base", "BaseTool")
_CHAT = ("langchain_core.language_models.chat_models", "BaseChatModel")
_TEXT = ("langchain_core.language_models.llms", "BaseLLM")
_BINDING = ("langchain_core.runnables.base", "RunnableBindingBase")
_GRAPH = ("langgraph.pregel", "Pregel")
_CHAINS = tuple((f"{package}.chains.base", "Chain") for package in ("langchain", "langchain_classic"))
_EXECUTORS = tuple((f"{package}.agents.agent", "AgentExecutor") for package in ("langchain", "langchain_classic"))
_ITERATORS = tuple(
    (f"{package}.agents.agent_iterator", "AgentExecutorIterator") for package in ("langchain", "langchain_classic")
)
PLACES = (_TOOL, _CHAT, _TEXT, _GRAPH, *_CHAINS, *_EXECUTORS, *_ITERATORS)
"""Module and name of every class that is patched; the registry waits for each module's import."""


class LangChainAdapter:
    """langchain-core from 0.3 on: langchain 0.3 and 1, langchain-classic, langgraph, and tools of any origin."""

    name = "langchain"
    module = "langchain_core"
    supported = ">=0.3.80,<2"
    needs = (_TOOL[0], _CHAT[0])

    def __init__(self, imported: str = "") -> None:
        """`imported`: the module whose import has just run, if that is why this is made."""
        self._imported = imported

    def recognises(self, obj: object) -> Role | None:
        """Graphs and chains are agents; a BaseTool is a tool, whatever it does inside."""
        if is_any(obj, _TOOL):
            return "tool"
        return "agent" if is_any(obj, _GRAPH, *_CHAINS) else None

    def inside(self, obj: object) -> object:
        """What `with_config`, `bind`, `with_retry` and the like hold."""
        while is_any(obj, _BINDING):
            obj = obj.bound  # type: ignore[attr-defined]  # every binding has it
        return obj

    def targets(self, tool: object) -> Iterable[ToolTarget]:  # noqa: ARG002 -- the same for every tool
        """`batch` and agents come through `invoke`, and that through `run`, unless a class has its own."""
        ways = (("run", parse_run, parse_own_run), ("invoke", no_call, parse_own_invoke))
        for owner in classes(_TOOL):
            for sync, parse, overridden in ways:
                for attribute in (sync, f"a{sync}"):
                    yield ToolTarget(
                        owner=owner,
                        base=owner,
                        attribute=attribute,
                        parse=parse,
                        overridden=overridden,
                        refuse=refuse,
                        name=lambda each: str(each.name),
                        said=result_text,
                        remote=name_at_server,
                    )

    def handovers(self) -> Iterable[HandoverTarget]:
        """Where a tool parses, it finds what was judged."""
        for owner in classes(_TOOL):
            yield HandoverTarget(owner=owner, attribute=PARSER, take=take)

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:  # noqa: ARG002 -- the same for every agent
        """`invoke` of a graph streams; `run`, `batch` and calling a chain invoke it; `.iter()` stands alone."""
        for places, attributes in (((_GRAPH, *_EXECUTORS), ("stream", "astream")), (_CHAINS, ("invoke", "ainvoke"))):
            for owner in classes(*places):
                for attribute in attributes:
                    yield EntryTarget(
                        owner=owner, attribute=attribute, observe=said_to_agent, conversation=conversation
                    )
        for owner in classes(*_ITERATORS):
            for attribute in ("__iter__", "__aiter__"):
                yield EntryTarget(
                    owner=owner,
                    attribute=attribute,
                    observe=lambda args, kwargs: (),  # noqa: ARG005 -- an iterator was given its input when it was made
                    agent=lambda iterator, args, kwargs: iterator.agent_executor,  # noqa: ARG005 -- as above
                )

    def model_targets(self) -> Iterable[ModelTarget]:
        """`invoke` and `batch` generate; events of the third version ask in a way of their own."""
        for owner in classes(_CHAT, _TEXT):
            for attribute in ("generate", "agenerate", "stream", "astream"):
                yield ModelTarget(
                    owner=owner,
                    attribute=attribute,
                    read=model_answered,
                    model=model_asked,
                    told=told_to_model,
                )
        for owner in classes(_CHAT):
            for attribute in ("stream_events", "astream_events"):
                if inspect.isfunction(vars(owner).get(attribute)):
                    yield ModelTarget(owner=owner, attribute=attribute, read=model_answered)

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:  # noqa: ARG002 -- by class
        """A tool called by hand, in both colours; and as an agent's model calls it."""
        import asyncio  # not in an agent's process

        async def coroutine() -> str:
            return body()

        def tool() -> Any:  # noqa: ANN401 -- of a package that may not be here
            made = sys.modules[_TOOL[0].rpartition(".")[0]].StructuredTool
            return made.from_function(func=lambda: body(), coroutine=coroutine, name=CANARY, description="Nothing.")  # noqa: PLW0108 -- a signature is read off it

        asked = {"name": CANARY, "args": {}, "id": "canary", "type": "tool_call"}
        yield Canary(way="BaseTool.run", call=lambda: tool().run({}))
        yield Canary(way="BaseTool.arun", call=lambda: asyncio.run(tool().arun({})))
        yield Canary(way="BaseTool.invoke", call=lambda: tool().invoke(asked))
        yield Canary(way="BaseTool.ainvoke", call=lambda: asyncio.run(tool().ainvoke(asked)))

    def copies(self) -> Iterable[CopyTarget]:
        """A graph's `with_config` copies it; tools and chains are copied as pydantic models are."""
        for owner in classes(_GRAPH):
            yield CopyTarget(owner=owner, attribute="copy")
        for owner in classes(_TOOL, *_CHAINS):
            yield CopyTarget(owner=owner, attribute="__copy__")
            yield CopyTarget(owner=owner, attribute="__deepcopy__")

    def parts(self, obj: object) -> Iterable[object]:  # noqa: ARG002 -- as the interface has it
        """What an agent holds is judged while it runs; a tool holds no other that stands for it."""
        return ()

    def scopes(self) -> Iterable[ScopeTarget]:
        """A refusal leaves LangChain as it is."""
        return ()

    def selftest(self) -> None:
        """Every class must be where its module has been imported, and the tool seam as this adapter knows it."""
        for module, name in PLACES:
            if is_imported(module, self._imported) and not inspect.isclass(getattr(sys.modules[module], name, None)):
                raise NotArmed(f"there is no {module}.{name}: this build supports langchain-core {self.supported}")
        for owner in classes(_TOOL):
            for attribute in ("run", "arun"):
                _check_run(owner, attribute)
            if not inspect.isfunction(vars(owner).get(PARSER)):
                raise NotArmed(f"{owner.__qualname__}.{PARSER} is gone: a judged call could not be handed to its tool")


def _check_run(owner: type, attribute: str) -> None:
    """`run` as this adapter knows it: takes `tool_input` and `tool_call_id`, and parses by the tool's own method."""
    method = vars(owner).get(attribute)
    if not inspect.isfunction(method):
        raise NotArmed(f"{owner.__qualname__}.{attribute} is gone: nobody would see its tool calls")
    missing = {"tool_input", "tool_call_id"} - inspect.signature(method).parameters.keys()
    if missing:
        raise NotArmed(f"{owner.__qualname__}.{attribute} takes no {', '.join(sorted(missing))} any more")
    if not is_patched(method) and PARSER not in method.__code__.co_names:
        raise NotArmed(f"{owner.__qualname__}.{attribute} does not parse by {PARSER} any more")
