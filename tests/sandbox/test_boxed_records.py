"""What gate.log, the span and the counters say of a boxed call: where it ran, or that it did not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import boxed_tools
from agentcop import AgentCop, SandboxRefused, SandboxTimeout
from agentcop.cli import main
from boxes import Engine, engine, mode, nothing_is_left
from gatefile import lines
from telemetry import application_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

__all__ = ["engine", "nothing_is_left"]

pytestmark = pytest.mark.sandbox


def made(folder: Path, sandbox: str) -> AgentCop:
    file = folder / "policy.yaml"
    file.write_text(f"agent_id: boxed\ngate: {{default: allow}}\nsandbox: {{{sandbox}}}\n", encoding="utf-8")
    return AgentCop(policy_file=file)


def shown() -> list[str]:
    return CliRunner().invoke(main, ["gate", "log"]).stdout.splitlines()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    with application_provider() as exporter:
        yield exporter


@pytest.fixture
def _no_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine listens where engines are looked for."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.delenv("CONTAINER_HOST", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_span_and_log_name_the_same_mode_and_engine(
    engine: Engine, tmp_path: Path, agentcop_home: Path, spans: InMemorySpanExporter
) -> None:
    made(tmp_path, f"mode: {mode(engine)}, network: none").tool(boxed_tools.where)("x")
    outcome = lines(agentcop_home)[-1]
    (span,) = [each for each in spans.get_finished_spans() if each.name == "execute_tool where"]
    on_span = {name.rpartition(".")[2]: value for name, value in (span.attributes or {}).items() if ".sandbox." in name}
    assert on_span == {"mode": mode(engine), "engine": engine}
    assert {name: value for name, value in outcome.items() if name.startswith("sandbox_")} == {
        f"sandbox_{name}": value for name, value in on_span.items()
    }


def test_what_a_tool_prints_in_its_box_is_told_under_its_name(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path, f"mode: {mode(engine)}, network: none").tool(boxed_tools.write)("\x1b[2Jhello\n", 1)
    told = [(vars(each)["stream"], each.getMessage()) for each in caplog.records if each.name == "agentcop.sandbox"]
    assert told == [(stream, "[write] \\x1b[2Jhello") for stream in ("stdout", "stderr")]
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("_no_container")
def test_a_call_that_a_fallback_ran_says_so_in_the_log_on_the_span_and_to_a_reader(
    tmp_path: Path, agentcop_home: Path, spans: InMemorySpanExporter
) -> None:
    made(tmp_path, "mode: container, image: 'agentcop/none-such:1', fallback: process, network: none").tool(
        boxed_tools.where
    )("x")
    outcome = lines(agentcop_home)[-1]
    assert (outcome["sandbox_mode"], outcome["sandbox_engine"], outcome["sandbox_fallback"]) == (
        "process",
        "process",
        True,
    )
    (span,) = [each for each in spans.get_finished_spans() if each.name == "execute_tool where"]
    assert (span.attributes or {})["agentcop.sandbox.fallback"] is True
    assert "in a box of process, by fallback" in shown()[-1]


@pytest.mark.usefixtures("_no_container")
def test_a_call_without_an_engine_is_refused_wherever_one_looks(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    cop = made(tmp_path, "mode: container, image: 'agentcop/none-such:1', network: none")
    with pytest.raises(SandboxRefused):
        cop.tool(boxed_tools.where)("x")
    assert cop.counts() == {"blocked": 1}
    (line,) = shown()
    assert line.split()[2:4] == ["refused", "where"]
    (span,) = [each for each in spans.get_finished_spans() if each.name == "execute_tool where"]
    attributes = span.attributes or {}
    assert (attributes["agentcop.verdict"], attributes["agentcop.rule"]) == ("block", "sandbox")
    blocked = CliRunner().invoke(main, ["gate", "log", "--blocked"]).stdout.splitlines()
    assert blocked == [line]


def test_a_place_that_a_box_must_not_reach_stands_in_the_calls_own_record(
    engine: Engine, tmp_path: Path, agentcop_home: Path, spans: InMemorySpanExporter
) -> None:
    ask = made(tmp_path, f"mode: {mode(engine)}, network: {{allow: ['api.example.com:443']}}").tool(boxed_tools.ask)
    assert ask("http://10.0.0.1/", "http://10.0.0.1/", "https://evil.example.com/?q=x") == [403, 403, 403]
    outcome = lines(agentcop_home)[-1]
    why = "sandbox.network.allow does not name this place"
    assert outcome["egress_refused"] == [
        {"place": "10.0.0.1:80", "why": why, "times": 2},
        {"place": "evil.example.com:443", "why": why, "times": 1},
    ]
    assert outcome["outcome"] == "ok"
    (span,) = [each for each in spans.get_finished_spans() if each.name == "execute_tool ask"]
    refused = (span.attributes or {})["agentcop.sandbox.egress.refused"]
    assert refused == (f"10.0.0.1:80: {why}", f"evil.example.com:443: {why}")
    (line,) = shown()
    assert f"egress refused: 10.0.0.1:80 2 times ({why}); evil.example.com:443 ({why})" in line
    assert CliRunner().invoke(main, ["gate", "log", "--blocked"]).stdout.splitlines() == [line]


@pytest.mark.parametrize("reuse", ["never", "per_agent"])
def test_each_call_answers_for_its_own_requests_alone(
    engine: Engine, tmp_path: Path, agentcop_home: Path, reuse: str
) -> None:
    ask = made(tmp_path, f"mode: {mode(engine)}, reuse: {reuse}").tool(boxed_tools.ask)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ask(f"http://10.0.0.{number}/"), range(1, 9)))
    asked = {each["call"]: each["args"]["urls"] for each in lines(agentcop_home) if each["kind"] == "decision"}
    for outcome in (each for each in lines(agentcop_home) if each["kind"] == "outcome"):
        (url,) = asked[outcome["call"]]
        (refused,) = outcome["egress_refused"]
        assert url == f"http://{refused['place'].removesuffix(':80')}/"
        assert refused["times"] == 1
    assert len(asked) == 8


def test_what_a_killed_call_asked_for_is_recorded_too(engine: Engine, tmp_path: Path, agentcop_home: Path) -> None:
    ask = made(tmp_path, f"mode: {mode(engine)}, timeout: 2").tool(boxed_tools.ask_and_hang)
    with pytest.raises(SandboxTimeout):
        ask("http://10.0.0.1/")
    outcome = lines(agentcop_home)[-1]
    assert (outcome["error"], outcome["egress_refused"][0]["place"]) == ("SandboxTimeout", "10.0.0.1:80")
