"""Targets of a framework: patched once, class-wide, acting only for what a cop has wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked
from agentcop._seams import install
from agentcop._seams.registry import register
from agentcop.adapters._interface import EntryTarget, ModelTarget, ParsedCall, ToolTarget
from agentcop_processor.model_call import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

RAN: list[str] = []


class Model:
    """A model with a script: the tool calls it asks for, one a turn."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.asked = 0

    def generate(self) -> str:
        self.asked += 1
        return self.script.pop(0) if self.script else ""


class Tool:
    def __init__(self, name: str) -> None:
        self.name = name

    def call(self, raw: str) -> str:
        RAN.append(raw)
        return f"ran {raw}"


class Executor:
    """A framework's loop, which feeds whatever a tool answers back to the model."""

    def __init__(self, model: Model, tools: list[Tool]) -> None:
        self.model = model
        self.tools = {tool.name: tool for tool in tools}

    def run(self, question: str) -> list[str]:
        answers = []
        while name := self.model.generate():
            answers.append(self.tools[name].call(question))
        return answers


def parse(tool: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall:
    (raw,) = args
    return ParsedCall(arguments={"text": str(raw).strip()}, run=lambda frozen: ((frozen["text"],), {}), call_id="c-1")


@pytest.fixture(autouse=True)
def _framework() -> Iterator[None]:
    """The adapter of this framework, installed for one test."""
    RAN.clear()
    refusing = ToolTarget(owner=Tool, attribute="call", parse=parse, refuse=lambda tool, parsed, error: "refused")
    install.install_tool(refusing)
    install.install_entry(EntryTarget(owner=Executor, attribute="run", observe=lambda args, kwargs: ()))
    install.install_model(ModelTarget(owner=Model, attribute="generate", read=lambda answer: Answer(text=str(answer))))
    yield
    install.remove_all()


def executor(*script: str, **gate: Any) -> tuple[Executor, Model]:
    model = Model(*script)
    made = Executor(model, [Tool("search"), Tool("wipe")])
    cop = AgentCop(agent_id="a", policy=GatePolicy(**{"allow": ["search"], **gate}))
    for name, tool in made.tools.items():
        register(tool, "tool", name, cop._gate)  # noqa: SLF001 -- what an adapter's wrap does
    register(made, "agent", "a", cop._gate)  # noqa: SLF001 -- as above
    return made, model


def test_the_body_receives_what_was_parsed_and_judged() -> None:
    agent, _ = executor("search")
    assert agent.run("  x ") == ["ran x"]


def test_a_blocked_call_gives_the_model_the_frameworks_own_refusal() -> None:
    agent, _ = executor("wipe", on_block="return_message")
    assert agent.run("x") == ["refused"]
    assert RAN == []


def test_under_raise_the_model_is_not_asked_again_and_the_entry_raises() -> None:
    agent, model = executor("wipe", "search", "search")
    with pytest.raises(PolicyBlocked) as refused:
        agent.run("x")
    assert refused.value.tool == "wipe"
    assert (RAN, model.asked) == ([], 1)


def test_what_no_cop_has_wrapped_runs_untouched() -> None:
    assert Executor(Model("wipe"), [Tool("wipe")]).run("  x ") == ["ran   x "]


def test_installing_twice_patches_once() -> None:
    patched = vars(Tool)["call"]
    install.install_tool(ToolTarget(owner=Tool, attribute="call", parse=parse))
    assert vars(Tool)["call"] is patched


def test_removing_puts_the_original_back() -> None:
    install.remove_all()
    assert Tool("wipe").call("x") == "ran x"
    assert vars(Tool)["call"].__qualname__ == "Tool.call"


@pytest.mark.parametrize(("owner", "attribute"), [(Tool, "missing"), (int, "__add__")])
def test_a_seam_that_is_not_there_is_not_armed_rather_than_no_gate(owner: type, attribute: str) -> None:
    with pytest.raises(NotArmed, match=attribute):
        install.install_tool(ToolTarget(owner=owner, attribute=attribute, parse=parse))
