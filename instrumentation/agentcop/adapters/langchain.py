"""LangChain and LangGraph: tools by `BaseTool`, models by `BaseChatModel`, agents by `Pregel` and `Chain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcop.adapters._framework import Framework, at
from agentcop.adapters._interface import CopyTarget, EntryTarget, HandoverTarget, ModelTarget, ToolTarget
from agentcop.adapters._langchain import arguments as call
from agentcop.adapters._langchain import boxed
from agentcop.adapters._langchain import words as said
from agentcop.adapters._langchain.canary import canaries
from agentcop.adapters._langchain.check import check_tool
from agentcop.adapters._langchain.mcp import name_at_server
from agentcop.adapters._places import classes, is_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop.adapters._interface import Canary

_PACKAGES = ("langchain", "langchain_classic")
_TOOL = ("langchain_core.tools.base", "BaseTool")
_CHAT = ("langchain_core.language_models.chat_models", "BaseChatModel")
_TEXT = ("langchain_core.language_models.llms", "BaseLLM")
_BINDING = ("langchain_core.runnables.base", "RunnableBindingBase")
_GRAPH = ("langgraph.pregel", "Pregel")
_CHAINS = tuple((f"{package}.chains.base", "Chain") for package in _PACKAGES)
_EXECUTORS = tuple((f"{package}.agents.agent", "AgentExecutor") for package in _PACKAGES)
_ITERATORS = tuple((f"{package}.agents.agent_iterator", "AgentExecutorIterator") for package in _PACKAGES)
PLACES = (_TOOL, _CHAT, _TEXT, _GRAPH, *_CHAINS, *_EXECUTORS, *_ITERATORS)

_JUDGED: dict[str, Any] = {
    "refuse": said.refuse,
    "name": lambda tool: str(tool.name),
    "said": said.result_text,
    "remote": name_at_server,
}
_RUN: dict[str, Any] = {
    "parse": call.parse_run,
    "overridden": call.parse_own_run,
    "stand_in": boxed.stand_in,
    **_JUDGED,
}
_GIVEN: dict[str, Any] = {"observe": said.said_to_agent, "conversation": said.conversation}
_ASKED: dict[str, Any] = {"read": said.model_answered, "model": said.model_asked, "told": said.told_to_model}


class LangChainAdapter(Framework):
    """langchain-core from 0.3 on: langchain 0.3 and 1, langchain-classic, langgraph, and tools of any origin."""

    name = "langchain"
    module = "langchain_core"
    distribution = "langchain-core"
    supported = ">=0.3.80,<2"
    needs = (_TOOL[0], _CHAT[0])
    places = PLACES
    tool_classes = (_TOOL,)
    agent_classes = (_GRAPH, *_CHAINS)

    # `batch` and agents come through `invoke`, and that through `run`, unless a class has its own.
    tools = (
        at([_TOOL], ["run"], ToolTarget, ship=boxed.ship_run, **_RUN),
        at([_TOOL], ["arun"], ToolTarget, ship=boxed.ship_arun, **_RUN),
        at([_TOOL], ["invoke", "ainvoke"], ToolTarget, parse=call.no_call, overridden=call.parse_own_invoke, **_JUDGED),
    )
    # Where a tool parses, it finds what was judged.
    handed = (at([_TOOL], [call.PARSER], HandoverTarget, take=call.take),)
    # `invoke` of a graph streams; `run`, `batch` and calling a chain invoke it; `.iter()` stands alone, and was given
    # its input when it was made.
    entries = (
        at([_GRAPH, *_EXECUTORS], ["stream", "astream"], EntryTarget, **_GIVEN),
        at(_CHAINS, ["invoke", "ainvoke"], EntryTarget, **_GIVEN),
        at(_ITERATORS, ["__iter__", "__aiter__"], EntryTarget, observe=said.nothing, agent=said.agent_iterated),
    )
    # `invoke` and `batch` generate; events of the third version ask in a way of their own.
    models = (
        at([_CHAT, _TEXT], ["generate", "agenerate", "stream", "astream"], ModelTarget, **_ASKED),
        at([_CHAT], ["stream_events", "astream_events"], ModelTarget, if_there=True, read=said.model_answered),
    )
    # A graph's `with_config` copies it; tools and chains are copied as pydantic models are.
    copied = (
        at([_GRAPH], ["copy"], CopyTarget),
        at([_TOOL, *_CHAINS], ["__copy__", "__deepcopy__"], CopyTarget),
    )

    def inside(self, obj: object) -> object:
        """What `with_config`, `bind`, `with_retry` and the like hold."""
        while is_any(obj, _BINDING):
            obj = obj.bound  # type: ignore[attr-defined]  # every binding has it
        return obj

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:  # noqa: ARG002 -- by class
        """A tool called by hand, in both colours; and as an agent's model calls it."""
        return canaries(body)

    def check(self) -> None:
        """The tool seam must be as this adapter knows it."""
        for owner in classes(_TOOL):
            check_tool(owner)
