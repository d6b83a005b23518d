"""OpenAI Agents SDK: tools by the body that each holds, models by `Model`, agents by the runner."""

from __future__ import annotations

import inspect
import sys
from itertools import product
from typing import TYPE_CHECKING, Any

from agentcop._held import bare, is_held
from agentcop._patches import look_again
from agentcop.adapters._interface import (
    Body,
    CopyTarget,
    EntryTarget,
    GoesOn,
    HandoverTarget,
    ModelTarget,
    Offer,
    ToolTarget,
)
from agentcop.adapters._openai_agents_arguments import (
    own_schema,
    parse_computer,
    parse_custom,
    parse_function,
    parse_handoff,
    parse_shell,
    patch_parser,
    take,
)
from agentcop.adapters._openai_agents_mcp import name_at_server
from agentcop.adapters._openai_agents_words import (
    conversation,
    given,
    model_answered,
    model_asked,
    refuse,
    refuse_computer,
    refuse_patch,
    refuse_shell,
    result_text,
    said_to_agent,
    told_to_model,
)
from agentcop.adapters._places import classes, is_any, is_imported
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agentcop._registry import Role
    from agentcop.adapters._interface import Canary, ScopeTarget

_TOOLS = "agents.tool"
_AGENT = ("agents.agent", "Agent")
_FUNCTION = (_TOOLS, "FunctionTool")
_SCHEMA = ("agents.function_schema", "FuncSchema")
_COMPUTER = ("agents.run_internal.tool_actions", "ComputerAction")
_MODEL = ("agents.models.interface", "Model")
_RUNNERS = (("agents.run", "Runner"), ("agents.run", "AgentRunner"))
_STREAM = ("agents.result", "RunResultStreaming")
_HANDOFF = ("agents.handoffs", "Handoff")
PLACES = (_AGENT, _FUNCTION, _SCHEMA, _COMPUTER, _MODEL, *_RUNNERS, _STREAM, _HANDOFF)
"""Module and name of every class that is patched; the registry waits for each module's import."""

BODIES: dict[str, tuple[str, ...]] = {
    "FunctionTool": ("on_invoke_tool",),
    "CustomTool": ("on_invoke_tool",),
    "LocalShellTool": ("executor",),
    "ShellTool": ("executor",),
    "ApplyPatchTool": ("editor", "create_file", "update_file", "delete_file"),
    "ComputerTool": (),
}
"""The tools that run in this process, where each holds its body, and what of that is called, if not itself.

Some are younger than others, and an older SDK does not have them. What a computer holds is called for each piece of a
call, so its calls are judged a step above.
"""


class OpenAIAgentsAdapter:
    """openai-agents from 0.8 on: function, MCP, shell, computer, patch and custom tools, agents as tools, hand-offs."""

    name = "openai-agents"
    module = "agents"
    supported = ">=0.8,<0.25"
    needs = tuple(dict.fromkeys(module for module, _ in PLACES))

    def __init__(self, imported: str = "") -> None:
        """`imported`: the module whose import has just run, if that is why this is made."""
        self._imported = imported

    def recognises(self, obj: object) -> Role | None:
        """Agents, and the tools that run here. Raises NotArmed for a tool that runs at the provider."""
        if is_any(obj, _AGENT):
            return "agent"
        if runs_here(obj):
            return "tool"
        if isinstance(obj, _tools()):
            message = (
                f"{type(obj).__qualname__} runs at the provider, where no call of it can be judged: "
                "wrap the agent that offers it, and its policy decides whether it may be offered"
            )
            raise NotArmed(message)
        return None

    def inside(self, obj: object) -> object:
        """The object itself: the SDK does not wrap agents or tools."""
        return obj

    def targets(self, tool: object) -> Iterable[ToolTarget]:  # noqa: ARG002 -- the same for every tool
        """Each kind of tool where it keeps its body; agents as tools and MCP tools are function tools."""
        yield from _held("FunctionTool", parse_function, refuse, is_awaited=True)
        yield from _held("CustomTool", parse_custom, refuse)
        yield from _held("LocalShellTool", parse_shell, refuse)
        yield from _held("ShellTool", parse_shell, refuse_shell)
        for method in BODIES["ApplyPatchTool"][1:]:
            yield from _held("ApplyPatchTool", patch_parser(method), refuse_patch, method=method)
        for owner in classes(_COMPUTER):
            yield ToolTarget(
                owner=owner,
                attribute="execute",
                tool=lambda args, kwargs: kwargs["action"].computer_tool,  # noqa: ARG005 -- interface
                name=lambda computer: str(computer.name),
                parse=parse_computer,
                refuse=refuse_computer,
            )
        for owner in classes(_HANDOFF):
            yield ToolTarget(
                owner=owner,
                attribute="on_invoke_handoff",
                body=Body(is_awaited=True),
                name=lambda handoff: str(handoff.tool_name),
                parse=parse_handoff,
            )

    def handovers(self) -> Iterable[HandoverTarget]:
        """Where the SDK binds what it parsed to a Python function, it finds what was judged."""
        for owner in classes(_SCHEMA):
            yield HandoverTarget(owner=owner, attribute="to_call_args", take=take)

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:  # noqa: ARG002 -- the same for every agent
        """`Runner` calls the runner, which may be the application's own; a streamed run goes on in a task."""
        for owner, result in product(classes(*_RUNNERS), classes(_STREAM)):
            streamed = GoesOn(task=lambda streaming: streaming.run_loop_task, result=result, stream="stream_events")
            for attribute, goes_on in (("run", None), ("run_sync", None), ("run_streamed", streamed)):
                yield EntryTarget(
                    owner=owner,
                    attribute=attribute,
                    agent=lambda runner, args, kwargs: given(args, kwargs, 0, "starting_agent"),  # noqa: ARG005 -- interface
                    observe=said_to_agent,
                    conversation=conversation,
                    output=lambda result: result.final_output,
                    goes_on=goes_on,
                )

    def model_targets(self) -> Iterable[ModelTarget]:
        """Every model of every provider."""
        for owner in classes(_MODEL):
            for attribute in ("get_response", "stream_response"):
                yield ModelTarget(
                    owner=owner,
                    attribute=attribute,
                    read=model_answered,
                    model=model_asked,
                    told=told_to_model,
                    offers=offers,
                )

    def copies(self) -> Iterable[CopyTarget]:
        """Agents have a method for it; a tool that is built of another's body, as `replace` does, needs none."""
        for owner in classes(_AGENT):
            yield CopyTarget(owner=owner, attribute="clone")
        for owner in classes(_AGENT, *((_TOOLS, name) for name in BODIES)):
            yield CopyTarget(owner=owner, attribute="__copy__")
            yield CopyTarget(owner=owner, attribute="__deepcopy__")

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:
        """A tool of each kind that runs here, called as the runner calls it."""
        from agentcop.adapters._openai_agents_canary import canaries

        return canaries(body, guard)

    def selftest(self) -> None:
        """Every class must be where its module has been imported, and parse, bind and stream as is known here."""
        for module, name in PLACES:
            if is_imported(module, self._imported) and not inspect.isclass(getattr(sys.modules[module], name, None)):
                raise NotArmed(f"there is no {module}.{name}: this build supports openai-agents {self.supported}")
        for owner in classes(_STREAM):
            if "run_loop_task" not in getattr(owner, "__dataclass_fields__", {}):
                raise NotArmed(
                    f"{owner.__qualname__}.run_loop_task is gone: nobody would know when a streamed run ends"
                )
        if is_imported(_TOOLS, self._imported) and is_imported(_SCHEMA[0], self._imported):
            _check_binding()

    def parts(self, obj: object) -> Iterable[object]:  # noqa: ARG002 -- as the interface has it
        """What an agent holds is judged while it runs."""
        return ()

    def scopes(self) -> Iterable[ScopeTarget]:
        """A refusal leaves the SDK as it is."""
        return ()


def runs_here(tool: Any) -> bool:  # noqa: ANN401 -- the framework is not imported
    """Whether the calls of this tool pass in this process. A shell may stand in a container of the provider's."""
    return is_any(tool, *((_TOOLS, name) for name in BODIES)) and not (
        hasattr(tool, "executor") and tool.executor is None
    )


def offers(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Offer]:
    """What a model is offered that runs at its provider.

    That is every tool of a kind that does not run here, what the request's raw fields bring along, and a prompt that
    is stored at the provider, with whatever tools it has there.
    """
    for tool in given(args, kwargs, 3, "tools") or ():
        for name, (attribute, *_) in ((name, held) for name, held in BODIES.items() if held):
            if is_any(tool, (_TOOLS, name)) and not is_held(type(tool), attribute):
                look_again(type(tool))
        if not runs_here(tool):
            yield Offer(name=str(getattr(tool, "name", type(tool).__name__)), configuration=_configuration(tool))
    settings = given(args, kwargs, 2, "model_settings")
    prompts = [kwargs.get("prompt")]
    for raw in (getattr(settings, "extra_body", None), getattr(settings, "extra_args", None)):
        fields = dict(raw or ())
        prompts.append(fields.get("prompt"))
        for tool in fields.get("tools") or ():
            yield Offer(name=str(tool.get("type")), configuration=tool)
        if (searching := fields.get("web_search_options")) is not None:
            yield Offer(name="web_search", configuration=searching)
    for prompt in prompts:
        if prompt is not None:
            yield Offer(name="stored_prompt", configuration=dict(prompt))


def _configuration(tool: Any) -> dict[str, Any]:  # noqa: ANN401 -- the framework is not imported
    """What the application has set of a tool; the provider's own form of it, where that is what the tool holds."""
    fields = {key: value for key, value in vars(tool).items() if value is not None and not callable(value)}
    own = fields.pop("tool_config", None)
    return {**fields, **dict(own)} if isinstance(own, dict) else fields


def _held(kind: str, parse: Any, refusal: Any, *, method: str = "", is_awaited: bool = False) -> Iterator[ToolTarget]:  # noqa: ANN401 -- as ToolTarget has them
    for owner in classes((_TOOLS, kind)):
        yield ToolTarget(
            owner=owner,
            attribute=BODIES[kind][0],
            body=Body(method=method, is_awaited=is_awaited),
            name=lambda tool: str(tool.name),
            parse=parse,
            refuse=refusal,
            said=result_text,
            remote=name_at_server,
        )


def _check_binding() -> None:
    """A function tool made here and now must show how it parses, and bind by the method that is patched."""

    async def probe(text: str) -> str:
        """Give back what is given."""
        return text

    tool = sys.modules[_TOOLS].function_tool(probe)
    if own_schema(bare(tool.on_invoke_tool)) is None:
        raise NotArmed("a function tool does not show any more how it parses its arguments")
    for owner in classes(_SCHEMA):
        if not inspect.isfunction(vars(owner).get("to_call_args")):
            raise NotArmed(f"{owner.__qualname__}.to_call_args is gone: a judged call could not be handed to its tool")


def _tools() -> tuple[type, ...]:
    """Every kind of tool that the SDK names, those of the provider among them."""
    named = vars(sys.modules[_TOOLS]).items() if _TOOLS in sys.modules else ()
    return tuple(value for name, value in named if inspect.isclass(value) and name.endswith("Tool"))
