"""Where a tool keeps its body: guarded in place, whatever is made of it, and not armed where it is somewhere else."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from agents import FunctionTool
from agents.function_schema import FuncSchema
from agents.run import AgentRunner
from agents.tool_context import ToolContext

from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked
from agentcop._seams import patches
from agentcop.adapters import openai_agents
from agentcop.adapters.openai_agents import OpenAIAgentsAdapter
from openai_server import call_tool, say
from sdk_agents import agent, model, run, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**(gate or {"default": "allow"})))


def call(tool: Any, text: str) -> Any:
    context = ToolContext(context=None, tool_name=tool.name, tool_call_id="call-1", tool_arguments=text)
    return wait(tool.on_invoke_tool(context, text))


def raw_tool(name: str = "pay") -> FunctionTool:
    async def invoke(context: Any, text: str) -> str:
        RAN.append(text)
        return f"ran {text}"

    return FunctionTool(name=name, description="…", params_json_schema={}, on_invoke_tool=invoke)


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": lambda tool: dataclasses.replace(tool, description="another"),
    "of its body": lambda tool: FunctionTool(
        name="harmless", description="…", params_json_schema={}, on_invoke_tool=tool.on_invoke_tool
    ),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_tool_made_of_a_wrapped_tools_body_is_governed_like_it(how: str) -> None:
    wipe = raw_tool("wipe")
    cop(allow=["lookup", "harmless"]).wrap([wipe])
    with pytest.raises(PolicyBlocked, match="wipe"):
        call(COPIES[how](wipe), "{}")
    assert RAN == []


def test_a_body_in_front_of_a_tools_body_is_one_call() -> None:
    pay = raw_tool()
    body = pay.on_invoke_tool

    async def noted(context: Any, text: str) -> Any:
        RAN.append("noted")
        return await body(context, text)

    pay.on_invoke_tool = noted
    guard = cop(allow=["pay"])
    call(guard.wrap([pay])[0], '{"amount": 1, "times": 1}')
    assert RAN == ["noted", '{"amount": 1, "times": 1}']
    assert guard.counts() == {"allowed": 1}


def test_a_body_in_front_that_changes_the_arguments_is_judged_again() -> None:
    pay = raw_tool()
    body = pay.on_invoke_tool

    async def more(context: Any, text: str) -> Any:
        return await body(context, json.dumps({**json.loads(text), "amount": 1000}))

    pay.on_invoke_tool = more
    guard = cop(allow=[{"tool": "pay", "when": "args.amount <= 100.0"}])
    with pytest.raises(PolicyBlocked):
        call(guard.wrap([pay])[0], '{"amount": 1}')
    assert (RAN, guard.counts()) == ([], {"allowed": 1, "blocked": 1})


def test_a_tool_that_calls_itself_is_judged_each_time() -> None:
    async def invoke(context: Any, text: str) -> str:
        RAN.append(text)
        return str(await pay.on_invoke_tool(context, text)) if len(RAN) < 3 else "enough"

    pay = FunctionTool(name="pay", description="…", params_json_schema={}, on_invoke_tool=invoke)
    guard = cop(allow=["pay"])
    assert call(guard.wrap([pay])[0], '{"amount": 1}') == "enough"
    assert guard.counts() == {"allowed": 3}


class Method(FunctionTool):
    """Its class has the body as a method."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, description="…", params_json_schema={}, on_invoke_tool=self._invoke)

    async def _invoke(self, context: Any, text: str) -> str:
        RAN.append(self.name)
        return "ran"


@dataclasses.dataclass
class Defaulted(FunctionTool):
    """Its class says again where the body is, and a decorator puts that in place."""

    on_invoke_tool: Any = dataclasses.field(default=None)


def test_a_subclass_is_governed_however_it_says_where_its_body_is() -> None:
    async def invoke(context: Any, text: str) -> str:
        RAN.append("ran")
        return "ran"

    cop().wrap([raw_tool()])  # the attribute is guarded from here on

    @dataclasses.dataclass
    class Late(FunctionTool):
        on_invoke_tool: Any = dataclasses.field(default=None)

    for tool in (
        Method("wipe"),
        Defaulted("wipe", "…", {}, invoke),
        Late("wipe", "…", {}, invoke),
    ):
        guard = cop(allow=["lookup"], on_block="return_message")
        with model([call_tool("wipe"), say("done")]) as (llm, _):
            run(guard.wrap(agent(llm, [tool])))
        assert (RAN, guard.counts()) == ([], {"blocked": 1}), type(tool)


def test_a_guarded_body_passes_for_the_body() -> None:
    async def invoke(context: ToolContext[Any], text: str) -> str:
        """Run it."""
        return "ran"

    invoke.note = "kept"  # type: ignore[attr-defined]  # what a program may do
    tool = FunctionTool(name="pay", description="…", params_json_schema={}, on_invoke_tool=invoke)
    cop().wrap([tool])
    body: Any = tool.on_invoke_tool
    assert body is tool.on_invoke_tool
    assert (body == invoke, hash(body) == hash(invoke), repr(body) == repr(invoke)) == (True, True, True)
    assert (body.__name__, body.__doc__, body.note, inspect.signature(body)) == (
        "invoke",
        "Run it.",
        "kept",
        inspect.signature(invoke),
    )
    assert (body.__module__, body.__annotations__) == (__name__, invoke.__annotations__)
    assert inspect.iscoroutinefunction(body)
    assert inspect.isfunction(body)
    assert copy.copy(body) is invoke
    assert copy.deepcopy(tool).on_invoke_tool == invoke
    assert pickle.loads(pickle.dumps(raw_tool_body_of_module())) is module_body  # noqa: S301 -- made here and now
    assert not hasattr(FunctionTool, "on_invoke_tool")


async def module_body(context: Any, text: str) -> str:
    """A body that pickles by name."""
    return "ran"


def raw_tool_body_of_module() -> Any:
    return FunctionTool(name="pay", description="…", params_json_schema={}, on_invoke_tool=module_body).on_invoke_tool


@pytest.fixture
def _unpatched() -> Iterator[None]:
    patches.remove_all()
    yield
    patches.remove_all()


MISSING = [(module, name) for module, name in openai_agents.PLACES]


@pytest.mark.usefixtures("_unpatched")
@pytest.mark.parametrize(("module", "name"), MISSING)
def test_without_one_of_its_classes_nothing_is_armed(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(importlib.import_module(module), name)
    with pytest.raises(NotArmed, match=name):
        OpenAIAgentsAdapter().selftest()


@pytest.mark.usefixtures("_unpatched")
@pytest.mark.parametrize("method", ["run", "run_sync", "run_streamed"])
def test_without_one_of_its_methods_nothing_is_armed(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(AgentRunner, method)
    with pytest.raises(NotArmed, match=method):
        cop().wrap([raw_tool()])


@pytest.mark.usefixtures("_unpatched")
def test_a_tool_that_does_not_bind_by_the_known_method_is_not_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FuncSchema, "to_call_args")
    with pytest.raises(NotArmed, match="to_call_args"):
        OpenAIAgentsAdapter().selftest()


@pytest.mark.usefixtures("_unpatched")
def test_a_tool_that_does_not_show_how_it_parses_is_not_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.tool.function_tool", lambda function: raw_tool())
    with pytest.raises(NotArmed, match="how it parses"):
        OpenAIAgentsAdapter().selftest()


@pytest.mark.usefixtures("_unpatched")
def test_removing_leaves_the_classes_as_they_were() -> None:
    before = dict(vars(FunctionTool))
    cop().wrap([raw_tool()])
    assert "on_invoke_tool" in vars(FunctionTool)
    patches.remove_all()
    assert dict(vars(FunctionTool)) == before
