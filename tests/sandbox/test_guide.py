"""The guide's policy file and its one-line instrumentation as they are printed: the tools run in containers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

import boxed_tools
from agentcop import NoApprover, PolicyBlocked
from agentcop_processor.pipeline import pipeline_for
from boxes import Engine, nothing_is_left, use
from guide import listings
from slack_server import SlackServer
from smtp_sink import SmtpSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["nothing_is_left"]

pytestmark = pytest.mark.sandbox


class Agent:
    """An agent whose tools are functions of a module, as an application has them."""

    def __init__(self) -> None:
        self.tools: dict[str, Any] = {
            "web_search": boxed_tools.where,
            "send_notification": boxed_tools.later,
            "send_email": boxed_tools.where,
            "shell_execute": boxed_tools.where,
        }


@pytest.fixture
def _channels(agentcop_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Slack and the mail server that the printed policy tells of blocks."""
    with SlackServer() as slack, SmtpSink() as mail:
        monkeypatch.setenv("SLACK_WEBHOOK", slack.hook)
        monkeypatch.setenv("AGENTCOP_SMTP_URL", f"smtp://127.0.0.1:{mail.port}")
        yield
        pipeline_for(agentcop_home).alerts.drain(20.0)  # before the servers go


@pytest.mark.usefixtures("_channels")
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_the_printed_policy_runs_what_it_allows_in_a_container_and_nothing_else(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(engine, monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/agent.yaml").write_text(listings("yaml")[0], encoding="utf-8")
    scope: dict[str, Any] = {"my_agent": Agent()}
    # agentcop: ignore[AC102] the listing is read from the guide itself
    exec(listings("python")[0], scope)  # noqa: S102 -- the guide's own text
    tools = scope["agent"].tools
    found = tools["web_search"]("agents")
    assert (found["text"], found["uid"]) == ("agents", 65534)
    assert found["pid"] != os.getpid()
    with pytest.raises(NoApprover):
        tools["send_email"]("x")
    with pytest.raises(PolicyBlocked):
        tools["shell_execute"]("ls")
