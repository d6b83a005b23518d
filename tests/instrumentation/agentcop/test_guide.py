"""The guide's own listings, executed as printed, around an agent of plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from agentcop import PolicyBlocked, SandboxRefused
from guide import listings

if TYPE_CHECKING:
    from pathlib import Path


class Agent:
    """An agent with the tools that the guide's policy speaks of."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        names = ("web_search", "send_email", "shell_execute", "unlisted")
        self.tools = {name: self._tool(name) for name in names}

    def _tool(self, name: str) -> Any:
        def tool(text: str) -> str:
            self.ran.append(name)
            return text

        return tool


def instrumented(folder: Path, monkeypatch: pytest.MonkeyPatch, policy: str) -> Agent:
    """The guide's one-line instrumentation, run with `policy` where it says that the policy stands."""
    monkeypatch.chdir(folder)
    (folder / "policies").mkdir()
    (folder / "policies/agent.yaml").write_text(policy, encoding="utf-8")
    mine: Agent = Agent()
    scope: dict[str, Any] = {"my_agent": mine}
    # agentcop: ignore[AC102] the listing is read from the guide itself
    exec(listings("python")[0], scope)  # noqa: S102 -- the guide's own text
    assert id(scope["agent"]) == id(mine), "wrapped in place"
    return mine


def test_the_instrumentation_of_the_guide_runs_with_its_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = instrumented(tmp_path, monkeypatch, listings("yaml")[0])
    with pytest.raises(SandboxRefused):
        agent.tools["web_search"]("x")
    with pytest.raises(PolicyBlocked) as refused:
        agent.tools["shell_execute"]("ls")
    assert refused.value.rule == "gate.block[0]"
    assert agent.ran == []


def test_without_its_sandbox_the_guides_policy_gives_three_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agentcop_home: Path
) -> None:
    policy = yaml.safe_load(listings("yaml")[0])
    del policy["sandbox"]
    agent = instrumented(tmp_path, monkeypatch, yaml.safe_dump(policy))
    assert agent.tools["web_search"]("x") == "x"
    verdicts = {}
    for name in ("send_email", "shell_execute", "unlisted"):
        with pytest.raises(Exception, match=name) as refused:
            agent.tools[name]("x")
        verdicts[name] = f"{type(refused.value).__name__} {refused.value.verdict.rule}"  # type: ignore[attr-defined]  # a ToolBlocked
    assert verdicts == {
        "send_email": "NoApprover gate.require_approval[0]",
        "shell_execute": "PolicyBlocked gate.block[0]",
        "unlisted": "PolicyBlocked gate.default",
    }
    assert agent.ran == ["web_search"]
