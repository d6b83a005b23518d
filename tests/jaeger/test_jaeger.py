"""An unmodified LangChain agent in a real Jaeger: its trace, its blocked call, and what the detector forwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from detector_service import detector
from exporting import until
from jaeger import Jaeger, a_jaeger, tags_of
from openai_server import call_tool, openai_server, say
from processes import POLICY, Program
from served import free_port
from slack_server import SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.jaeger

AGENT = """
import os, sys
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

@tool
def look(what: str) -> str:
    "Look at something."
    return "looked at " + what

@tool
def shell(command: str) -> str:
    "Run a command."
    open(os.environ["MARK"], "a").write("shell ran\\n")
    return "ran"

agent = create_agent(ChatOpenAI(model="gpt-4", max_retries=0), [look, shell])
try:
    agent.invoke({"messages": [("user", sys.argv[1])]})
except Exception as error:
    print(type(error).__name__)
"""
TOLD = """
agent_id: anybody
monitor:
  alert_channels: [{type: webhook, url: '${URL}'}]
  links: {trace: 'JAEGER/trace/{trace_id}'}
gate: {allow: [a]}
"""
LOOKS = (call_tool("look", what="the weather"), say("done"))
BLOCKED = (call_tool("shell", command="rm -rf /"), say("done"))


class Agent:
    """The program, run once for each script of its model."""

    def __init__(self, folder: Path) -> None:
        variables = {"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml", "OPENAI_API_KEY": "none"}
        variables |= {
            "MARK": str(folder / "mark"),
            "OTEL_SERVICE_NAME": "billing",
            "AGENTCOP_HOME": str(folder / "home"),
        }
        self.mark = folder / "mark"
        self.home = folder / "home"
        self._program = Program(folder=folder, environment=variables)
        self._program.file("policy.yaml", POLICY)
        self._program.file("agent.py", AGENT)

    def run(self, script: tuple[object, ...], **variables: str) -> str:
        """What it printed: nothing, or the name of what ended its run."""
        with openai_server(script) as url:  # type: ignore[arg-type]  # replies
            done = self._program.having(OPENAI_BASE_URL=url, **variables).run("agent.py", "Do it.")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    folder = tmp_path / "program"
    folder.mkdir()
    return Agent(folder)


@pytest.fixture
def jaeger(tmp_path: Path) -> Iterator[Jaeger]:
    with a_jaeger(tmp_path / "jaeger") as started:
        yield started


def test_two_variables_show_an_unmodified_agents_trace_in_jaeger(agent: Agent, jaeger: Jaeger) -> None:
    assert agent.run(LOOKS, OTEL_EXPORTER_OTLP_ENDPOINT=jaeger.http) == ""
    until(lambda: len(jaeger.search("billing")) == 1)
    (trace,) = jaeger.search("billing")
    names = {span["operationName"] for span in trace["spans"]}
    assert "execute_tool look" in names
    assert any(name.startswith("invoke_agent") for name in names)
    assert len({span["traceID"] for span in trace["spans"]}) == 1


def test_a_blocked_call_is_found_by_its_verdict_with_error_and_reason(agent: Agent, jaeger: Jaeger) -> None:
    agent.run(LOOKS, OTEL_EXPORTER_OTLP_ENDPOINT=jaeger.http)
    assert agent.run(BLOCKED, OTEL_EXPORTER_OTLP_ENDPOINT=jaeger.http) == "PolicyBlocked"
    until(lambda: len(jaeger.search("billing")) == 2)
    (trace,) = jaeger.search("billing", agentcop__verdict="block")
    (blocked,) = [span for span in trace["spans"] if tags_of(span).get("agentcop.verdict") == "block"]
    assert blocked["operationName"] == "execute_tool shell"
    said = tags_of(blocked)
    assert (said["otel.status_code"], said["error"]) == ("ERROR", True)
    assert "shell" in said["agentcop.reason"]
    assert said["otel.status_description"]
    assert not agent.mark.exists()


def test_an_alerts_links_open_its_trace_in_jaeger_and_our_own_page_of_the_run(
    agent: Agent, jaeger: Jaeger, tmp_path: Path
) -> None:
    port = free_port()
    told = tmp_path / "told.yaml"
    told.write_text(TOLD.replace("JAEGER", f"http://127.0.0.1:{jaeger.query_port}"), encoding="utf-8")
    options = ("--forward", jaeger.grpc, "--alerts", told, "--operations", f"127.0.0.1:{port}")
    with SlackServer() as server, detector(tmp_path / "home", *options, environment={"URL": server.hook}) as service:
        agent.run(BLOCKED, AGENTCOP_OTLP_ENDPOINT=service.http)
        until(lambda: any(each["kind"] == "block" for each in server.posted))
        (alert,) = [each for each in server.posted if each["kind"] == "block"]
        links = {link["label"]: link["url"] for link in alert["links"]}
        assert links["Open trace"] == f"http://127.0.0.1:{jaeger.query_port}/trace/{alert['trace_id']}"
        until(lambda: bool(jaeger.trace(alert["trace_id"])))
        (trace,) = jaeger.search("billing", agentcop__verdict="block")
        assert trace["traceID"] == alert["trace_id"]
        assert links["Open run"] == f"http://127.0.0.1:{port}/runs/{alert['trace_id']}"
        code, page = service.get(f"/runs/{alert['trace_id']}")
        assert code == 200
        assert "shell" in page
        assert "block" in page
        until(lambda: service.metric("agentcop_detector_forwarded_spans_total") >= len(trace["spans"]))


def test_a_dead_jaeger_stops_neither_the_detector_nor_what_is_sent_to_it_later(
    agent: Agent, jaeger: Jaeger, tmp_path: Path
) -> None:
    with detector(tmp_path / "home", "--forward", jaeger.http) as service:
        jaeger.kill()
        agent.run(BLOCKED, AGENTCOP_OTLP_ENDPOINT=service.http)
        until(lambda: bool(service.rows("SELECT id FROM alerts WHERE kind = 'gate_block'")))
        until(lambda: service.metric("agentcop_detector_forward_failures_total") > 0)
        assert service.ready()
        jaeger.start()
        until(lambda: bool(jaeger.search("billing", agentcop__verdict="block")))
        assert service.stop() == 0


def test_a_dead_detector_does_not_stop_the_agent_whose_spans_arrive_later(agent: Agent, jaeger: Jaeger) -> None:
    with detector(agent.home) as service:
        endpoint = service.http
        assert service.stop() == 0
    assert agent.run(LOOKS, AGENTCOP_OTLP_ENDPOINT=endpoint) == ""
    assert agent.run(BLOCKED, AGENTCOP_OTLP_ENDPOINT=endpoint) == "PolicyBlocked"
    assert not agent.mark.exists()
    with detector(agent.home, "--forward", jaeger.http) as service:
        until(lambda: service.rows("SELECT count(*) FROM runs") == [(2,)])
        until(lambda: len(jaeger.search("billing")) == 2)
        assert list((agent.home / "spool").glob("*-*")) == []


def test_a_dead_jaeger_does_not_stop_the_agent(agent: Agent, jaeger: Jaeger) -> None:
    jaeger.kill()
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.http, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    assert agent.run(LOOKS, **variables) == ""
    assert agent.run(BLOCKED, **variables) == "PolicyBlocked"
    assert not agent.mark.exists()
