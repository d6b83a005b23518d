"""The doctor's calls of the OpenAI Agents SDK's tools: one of each kind that runs here, called as the runner does.

A kind that the installed version does not have is left out.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcop.adapters._interface import CANARY, Canary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Body = Callable[[], str]
    Guard = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What the canary's hand-over hands the application: without any, no code but the SDK's runs."""

    why: str


def canaries(body: Body, guard: Guard) -> Iterator[Canary]:
    """Each kind of tool, and a hand-over that hands data."""
    tools = sys.modules["agents.tool"]
    kinds: tuple[tuple[str, Callable[[Any, Body, Guard], Any]], ...] = (
        ("FunctionTool", _function),
        ("CustomTool", _custom),
        ("LocalShellTool", _local_shell),
        ("ShellTool", _shell),
        ("ApplyPatchTool", _patch),
        ("ComputerTool", _computer),
    )
    for kind, call in kinds:
        if hasattr(tools, kind):
            yield _canary(kind, call, tools, body, guard)
    yield _canary("Handoff", _handoff, tools, body, guard)


def _canary(way: str, call: Callable[[Any, Body, Guard], Any], tools: Any, body: Body, guard: Guard) -> Canary:  # noqa: ANN401 -- a module that may not be here
    return Canary(way=way, call=lambda: asyncio.run(_settled(call(tools, body, guard))))


async def _settled(result: Awaitable[object] | object) -> None:
    if hasattr(result, "__await__"):
        await result


def _context(text: str) -> Any:  # noqa: ANN401 -- as above
    made = sys.modules["agents.tool_context"].ToolContext
    return made(context=None, tool_name=CANARY, tool_call_id="canary", tool_arguments=text)


def _function(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401 -- as above
    async def function() -> str:
        return body()

    made = guard(tools.function_tool(function, name_override=CANARY, description_override="Nothing."))
    return made.on_invoke_tool(_context("{}"), "{}")


def _custom(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401 -- as above
    async def invoke(context: object, text: str) -> str:  # noqa: ARG001 -- the SDK's signature
        return body()

    made = guard(tools.CustomTool(name=CANARY, description="Nothing.", on_invoke_tool=invoke))
    return made.on_invoke_tool(_context(""), "")


def _local_shell(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401 -- as above
    items = sys.modules["openai.types.responses.response_output_item"]
    action = items.LocalShellCallAction(command=["true"], env={}, type="exec")
    data = items.LocalShellCall(
        id="canary", call_id="canary", action=action, status="completed", type="local_shell_call"
    )
    made = guard(tools.LocalShellTool(executor=lambda request: body()))  # noqa: ARG005 -- as above
    return made.executor(tools.LocalShellCommandRequest(ctx_wrapper=_context(""), data=data))


def _shell(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401 -- as above
    data = tools.ShellCallData(call_id="canary", action=tools.ShellActionRequest(commands=["true"]))
    made = guard(tools.ShellTool(executor=lambda request: body()))  # noqa: ARG005 -- as above
    return made.executor(tools.ShellCommandRequest(ctx_wrapper=_context(""), data=data))


def _patch(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401 -- as above
    class Editor:
        def create_file(self, operation: object) -> str:  # noqa: ARG002 -- as above
            return body()

        update_file = delete_file = create_file

    made = guard(tools.ApplyPatchTool(editor=Editor()))
    operation = sys.modules["agents.editor"].ApplyPatchOperation(type="create_file", path="canary", diff="")
    return made.editor.create_file(operation)


def _computer(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401 -- as above
    """By the SDK's own step, because what a computer holds is called for each piece of a call."""
    agents, base = sys.modules["agents"], sys.modules["agents.computer"].Computer
    acts = {name: lambda self, *args, **kwargs: body() for name in base.__abstractmethods__}  # noqa: ARG005 -- as above
    made = guard(tools.ComputerTool(computer=type("Screen", (base,), acts)()))
    call = sys.modules["openai.types.responses"].ResponseComputerToolCall(
        id="canary",
        call_id="canary",
        action={"type": "screenshot"},
        pending_safety_checks=[],
        status="completed",
        type="computer_call",
    )
    return sys.modules["agents.run_internal.tool_actions"].ComputerAction.execute(
        agent=agents.Agent(name="canary"),
        action=sys.modules["agents.run_internal.run_steps"].ToolRunComputerAction(tool_call=call, computer_tool=made),
        hooks=agents.RunHooks(),
        context_wrapper=agents.RunContextWrapper(None),
        config=agents.RunConfig(tracing_disabled=True),
    )


def _handoff(tools: Any, body: Body, guard: Guard) -> object:  # noqa: ANN401, ARG001 -- as above
    agents = sys.modules["agents"]

    def handed(context: object, data: Handed) -> None:  # noqa: ARG001 -- as above
        body()

    made = agents.handoff(agents.Agent(name="canary"), tool_name_override=CANARY, on_handoff=handed, input_type=Handed)
    return made.on_invoke_handoff(agents.RunContextWrapper(None), '{"why":"canary"}')
