"""OpenAI Agents SDK: tools by the body that each holds, models by `Model`, agents by the runner."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from agentcop.adapters._framework import Framework, at
from agentcop.adapters._interface import Body, CopyTarget, EntryTarget, GoesOn, HandoverTarget, ModelTarget, ToolTarget
from agentcop.adapters._openai_agents import arguments as call
from agentcop.adapters._openai_agents import boxed
from agentcop.adapters._openai_agents import words as said
from agentcop.adapters._openai_agents.check import check_binding, check_stream
from agentcop.adapters._openai_agents.kinds import BODIES, TOOLS, kinds, runs_here
from agentcop.adapters._openai_agents.mcp import name_at_server
from agentcop.adapters._openai_agents.offers import offers
from agentcop.adapters._places import classes, is_any, is_imported
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop._seams.registry import Role
    from agentcop.adapters._framework import At
    from agentcop.adapters._interface import Canary

_AGENT = ("agents.agent", "Agent")
_FUNCTION = (TOOLS, "FunctionTool")
_SCHEMA = ("agents.function_schema", "FuncSchema")
_COMPUTER = ("agents.run_internal.tool_actions", "ComputerAction")
_MODEL = ("agents.models.interface", "Model")
_RUNNERS = (("agents.run", "Runner"), ("agents.run", "AgentRunner"))
_STREAM = ("agents.result", "RunResultStreaming")
_HANDOFF = ("agents.handoffs", "Handoff")
PLACES = (_AGENT, _FUNCTION, _SCHEMA, _COMPUTER, _MODEL, *_RUNNERS, _STREAM, _HANDOFF)
_BOXED: dict[str, Any] = {"ship": boxed.ship, "stand_in": boxed.stand_in}


def _held(kind: str, body: Body, parse: object, refuse: object, **fields: Any) -> At[ToolTarget]:
    """A kind of tool, where each holds its body."""
    return at(
        [(TOOLS, kind)],
        BODIES[kind][:1],
        ToolTarget,
        body=body,
        parse=parse,
        refuse=refuse,
        name=lambda tool: str(tool.name),
        said=said.result_text,
        remote=name_at_server,
        **fields,
    )


class OpenAIAgentsAdapter(Framework):
    """openai-agents from 0.8 on: function, MCP, shell, computer, patch and custom tools, agents as tools, hand-offs."""

    name = "openai-agents"
    module = "agents"
    supported = ">=0.8,<0.25"
    needs = tuple(dict.fromkeys(module for module, _ in PLACES))
    places = PLACES
    agent_classes = (_AGENT,)

    # Each kind of tool where it keeps its body; agents as tools and MCP tools are function tools.
    tools = (
        _held("FunctionTool", Body(is_awaited=True), call.parse_function, said.refuse, **_BOXED),
        _held("CustomTool", Body(), call.parse_custom, said.refuse),
        _held("LocalShellTool", Body(), call.parse_shell, said.refuse),
        _held("ShellTool", Body(), call.parse_shell, said.refuse_shell),
        *(
            _held("ApplyPatchTool", Body(method=method), call.patch_parser(method), said.refuse_patch)
            for method in BODIES["ApplyPatchTool"][1:]
        ),
        at(
            [_COMPUTER],
            ["execute"],
            ToolTarget,
            tool=lambda args, kwargs: kwargs["action"].computer_tool,  # noqa: ARG005 -- interface
            name=lambda computer: str(computer.name),
            parse=call.parse_computer,
            refuse=said.refuse_computer,
        ),
        at(
            [_HANDOFF],
            ["on_invoke_handoff"],
            ToolTarget,
            body=Body(is_awaited=True),
            name=lambda handoff: str(handoff.tool_name),
            parse=call.parse_handoff,
        ),
    )
    # Where the SDK binds what it parsed to a Python function, it finds what was judged.
    handed = (at([_SCHEMA], ["to_call_args"], HandoverTarget, take=call.take),)
    models = (
        at(
            [_MODEL],
            ["get_response", "stream_response"],
            ModelTarget,
            read=said.model_answered,
            model=said.model_asked,
            told=said.told_to_model,
            offers=offers,
        ),
    )
    # Agents have a method for it; a tool that is built of another's body, as `replace` does, needs none.
    copied = (
        at([_AGENT], ["clone"], CopyTarget),
        at([_AGENT, *((TOOLS, kind) for kind in BODIES)], ["__copy__", "__deepcopy__"], CopyTarget),
    )

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:  # noqa: ARG002 -- the same for every agent
        """`Runner` calls the runner, which may be the application's own; a streamed run goes on in a task."""
        for owner, result in product(classes(*_RUNNERS), classes(_STREAM)):
            streamed = GoesOn(task=lambda streaming: streaming.run_loop_task, result=result, stream="stream_events")
            for attribute, goes_on in (("run", None), ("run_sync", None), ("run_streamed", streamed)):
                yield EntryTarget(
                    owner=owner,
                    attribute=attribute,
                    agent=lambda runner, args, kwargs: said.given(args, kwargs, 0, "starting_agent"),  # noqa: ARG005 -- interface
                    observe=said.said_to_agent,
                    conversation=said.conversation,
                    output=lambda result: result.final_output,
                    goes_on=goes_on,
                )

    def recognises(self, obj: object) -> Role | None:
        """Agents, and the tools that run here. Raises NotArmed for a tool that runs at the provider."""
        if is_any(obj, _AGENT):
            return "agent"
        if runs_here(obj):
            return "tool"
        if isinstance(obj, kinds()):
            message = (
                f"{type(obj).__qualname__} runs at the provider, where no call of it can be judged: "
                "wrap the agent that offers it, and its policy decides whether it may be offered"
            )
            raise NotArmed(message)
        return None

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:
        """A tool of each kind that runs here, called as the runner calls it."""
        from agentcop.adapters._openai_agents.canary import canaries

        return canaries(body, guard)

    def check(self) -> None:
        """Tools must parse and bind, and runs stream, as is known here."""
        check_stream(_STREAM)
        if is_imported(TOOLS, self.imported) and is_imported(_SCHEMA[0], self.imported):
            check_binding(_SCHEMA)
