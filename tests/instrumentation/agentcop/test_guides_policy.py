"""The guide's policy file, read from the guide: as it is printed, and without its sandbox section."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from agentcop import AgentCop, NoApprover, PolicyBlocked, SandboxRefused, ToolBlocked
from guide import listings
from slack_server import SlackServer
from smtp_sink import SmtpSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RAN: list[str] = []


@pytest.fixture
def cop_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], AgentCop]]:
    """Makes the cop of a policy text whose alerts go to a Slack and a mail server on this machine."""
    RAN.clear()
    made: list[AgentCop] = []
    with SlackServer() as slack, SmtpSink() as mail:
        monkeypatch.setenv("SLACK_WEBHOOK", slack.hook)
        monkeypatch.setenv("AGENTCOP_SMTP_URL", f"smtp://127.0.0.1:{mail.port}")

        def make(text: str) -> AgentCop:
            file = tmp_path / "production-agent.yaml"
            file.write_text(text)
            made.append(AgentCop(policy_file=file))
            return made[-1]

        yield make
        for cop in made:
            cop._gate.pipeline.alerts.drain(20.0)  # noqa: SLF001 -- before the servers go


def printed() -> str:
    (text,) = listings("yaml")
    return text


def without_sandbox() -> str:
    lines = printed().splitlines()
    return "\n".join(lines[: lines.index("sandbox:")]) + "\n"


def call(cop: AgentCop, name: str) -> ToolBlocked | None:
    """The refusal of a call of the tool `name`; None: it ran."""

    def body(text: str) -> str:
        RAN.append(name)
        return text

    try:
        cop.tool(body, name=name)("x")
    except ToolBlocked as refused:
        return refused
    return None


def test_without_its_sandbox_the_three_lists_give_three_verdicts(cop_for: Callable[[str], AgentCop]) -> None:
    cop = cop_for(without_sandbox())
    gate = yaml.safe_load(printed())["gate"]
    assert [call(cop, name) for name in gate["allow"]] == [None] * len(gate["allow"])
    assert {type(call(cop, name)) for name in gate["require_approval"]} == {NoApprover}
    assert {type(call(cop, name)) for name in (*gate["block"], "on_no_list")} == {PolicyBlocked}
    assert gate["allow"] == RAN


def test_as_printed_nothing_runs_without_the_sandbox_it_demands(cop_for: Callable[[str], AgentCop]) -> None:
    cop = cop_for(printed())
    gate = yaml.safe_load(printed())["gate"]
    assert {type(call(cop, name)) for name in gate["allow"]} == {SandboxRefused}
    assert {type(call(cop, name)) for name in gate["block"]} == {PolicyBlocked}
    assert all(isinstance(call(cop, name), ToolBlocked) for name in gate["require_approval"])
    assert RAN == []
