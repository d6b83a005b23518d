"""What LangChain runs on the host around a boxed body, callbacks above all, cannot borrow that call's verdict."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tools import BaseTool

from agentcop import AgentCop, SandboxRefused
from agentcop_processor.sandbox.boxes import runner
from agentcop_processor.sandbox.boxes.answer import Given

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []


class Lookup(BaseTool):
    name: str = "lookup"
    description: str = "Look it up."

    def _run(self, query: str) -> str:
        RAN.append(query)
        return query


class CallingAgain(BaseCallbackHandler):
    """A callback that calls the tool once more, by its other method and with the same arguments."""

    raise_error = True

    def __init__(self, made: Any) -> None:
        self.made = made
        self.got: list[object] = []

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        if not self.got:
            self.got.append(None)
            try:
                self.got.append(asyncio.run(self.made.arun({"query": "x"})))
            except SandboxRefused as refused:
                self.got.append(refused)


def test_a_callback_that_calls_the_tool_once_more_does_not_run_its_body_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RAN.clear()
    file = tmp_path / "policy.yaml"
    file.write_text("agent_id: a\ngate: {default: allow}\nsandbox: {mode: process, network: none}\n", encoding="utf-8")
    made = AgentCop(policy_file=file).wrap(Lookup())
    calling = CallingAgain(made)
    answering = Answering()
    monkeypatch.setattr(runner, "runner_for", lambda home: answering)
    assert made.invoke({"query": "x"}, {"callbacks": [calling]}) == "boxed"
    assert calling.got == [None, "boxed"]
    assert (RAN, answering.leased) == ([], 2)


class Answering:
    """A box that answers."""

    engine, ended = "process", False

    def __init__(self) -> None:
        self.leased = 0

    def lease(self, *_: object) -> Answering:
        self.leased += 1
        return self

    def run(self, *_: object) -> Given:
        return Given("boxed", awaited=False)

    def close(self) -> None:
        pass


class Stubborn(Lookup):
    """A class that gives its own body whatever stands in the object."""

    def __getattribute__(self, name: str) -> Any:
        return vars(Lookup)["_run"].__get__(self) if name == "_run" else super().__getattribute__(name)


def test_a_class_that_insists_on_its_body_is_refused_and_its_body_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RAN.clear()
    file = tmp_path / "policy.yaml"
    file.write_text("agent_id: a\ngate: {default: allow}\nsandbox: {mode: process, network: none}\n", encoding="utf-8")
    made = AgentCop(policy_file=file).wrap(Stubborn())
    monkeypatch.setattr(runner, "runner_for", lambda home: Answering())
    with pytest.raises(SandboxRefused, match="its class makes its body anew"):
        made.invoke({"query": "x"})
    assert RAN == []
