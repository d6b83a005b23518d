from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentcop import AgentCop, GatePolicy, ToolBlocked
from agentcop_alerts.outbox import Outbox
from agentcop_processor.pipeline import pipeline_for
from slack_server import SlackServer, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

HEAD = 'agent_id: billing\nversion: "7"\n'
CHANNEL = "  alert_channels: [{type: slack, webhook: '${HOOK}'}]\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    with SlackServer() as server:
        monkeypatch.setenv("HOOK", server.url)
        yield server


@pytest.fixture
def drain(agentcop_home: Path) -> Callable[[], None]:
    def drained() -> None:
        assert pipeline_for(agentcop_home).alerts.drain(20)

    return drained


class Cops:
    """Cops by the text of their policy."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "policy.yaml"

    def __call__(self, text: str, *, monitor: bool | None = None) -> AgentCop:
        self._path.write_text(text, encoding="utf-8")
        return AgentCop(policy_file=self._path, monitor=monitor)


@pytest.fixture
def cop_of(tmp_path: Path) -> Cops:
    return Cops(tmp_path)


def refused(cop: AgentCop, tool: str = "wipe", **arguments: object) -> None:
    with pytest.raises(ToolBlocked):
        cop.tool(lambda **_: None, name=tool)(**arguments)


@pytest.mark.parametrize("on_block", ["raise_and_alert", "alert"])
def test_a_block_reaches_the_channel_of_its_policy(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None], on_block: str
) -> None:
    cop = cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a], block: [wipe], on_block: {on_block}}}\n")

    refused(cop, path="/data", password="hunter2-canary")
    drain()

    (posted,) = server.messages
    text = words(posted)
    assert "[high] Blocked: wipe by billing" in text
    assert '"path":"/data"' in text
    assert "policy version 7" in text
    assert "gate.block[0]" in text
    assert "policy.yaml:5:" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("on_block", ["raise", "return_message"])
def test_other_blocks_are_nobodys_news(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None], agentcop_home: Path, on_block: str
) -> None:
    refused(cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a], on_block: {on_block}}}\n"))
    drain()

    assert server.attempts == 0
    assert not (agentcop_home / "alerts").exists()


def test_allowed_and_held_calls_alert_nobody(cop_of: Cops, server: SlackServer, drain: Callable[[], None]) -> None:
    cop = cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a], require_approval: [ask]}}\n")

    cop.tool(lambda: None, name="a")()
    refused(cop, "ask")
    drain()

    assert server.attempts == 0


def test_an_observed_block_is_told_as_what_it_would_have_been(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None]
) -> None:
    cop = cop_of(f"{HEAD}mode: observe\nmonitor:\n{CHANNEL}gate: {{allow: [a]}}\n")

    assert cop.tool(lambda: "ran", name="wipe")() == "ran"
    drain()

    assert "Would have blocked (mode: observe): wipe" in server.messages[0]["text"]


def test_without_a_monitor_block_alerts_are_unchanged(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None]
) -> None:
    refused(cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a]}}\n", monitor=False))
    drain()

    assert len(server.messages) == 1


def test_with_content_none_an_alert_shows_names_types_and_lengths_only(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None]
) -> None:
    cop = cop_of(f"{HEAD}monitor:\n  content: none\n{CHANNEL}gate: {{allow: [a]}}\n")

    refused(cop, text="confidential", amount=7, to=["x", "y"], nothing=None)
    drain()

    text = words(server.messages[0])
    assert "text: str(12), to: list(2)" in text
    assert "amount: int, nothing: null" in text
    assert "call digest" in text
    assert "confidential" not in text


def test_the_channel_is_that_of_the_policy_that_decided(
    tmp_path: Path, server: SlackServer, drain: Callable[[], None]
) -> None:
    strict, wide = tmp_path / "strict.yaml", tmp_path / "wide.yaml"
    strict.write_text(
        f"agent_id: strict\nmonitor:\n{CHANNEL}gate: {{block: [wipe], default: allow}}\n", encoding="utf-8"
    )
    wide.write_text("agent_id: wide\ngate: {allow: [wipe]}\n", encoding="utf-8")
    wiped = AgentCop(policy_file=wide).tool(lambda: None, name="wipe")
    twice: Callable[[], None] = AgentCop(policy_file=strict).tool(wiped, name="wipe")
    with pytest.raises(ToolBlocked):
        twice()
    drain()

    assert "by strict" in server.messages[0]["text"]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], tuple[ReadableSpan, ...]]]:
    """What the application's own exporter got."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter.get_finished_spans
    provider.shutdown()


def test_the_span_says_who_alerts(
    cop_of: Cops,
    server: SlackServer,
    spans: Callable[[], tuple[ReadableSpan, ...]],
    drain: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = f"{HEAD}monitor:\n  links: {{trace: 'http://jaeger/trace/{{trace_id}}'}}\n{CHANNEL}gate: {{allow: [a]}}\n"
    refused(cop_of(text))
    drain()
    monkeypatch.delenv("HOOK")
    refused(cop_of(text.replace("billing", "other")))
    drain()

    told, untold = spans()
    assert told.attributes is not None
    assert untold.attributes is not None
    assert told.attributes["agentcop.alert"] == "agent"
    assert "agentcop.alert" not in untold.attributes
    assert told.context is not None
    assert f"<http://jaeger/trace/{told.context.trace_id:032x}|Open trace>" in words(server.messages[0])


def test_a_fault_of_the_gate_is_told_too(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cop = cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a]}}\n")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("agentcop_processor.call.seam.frozen_call", broken)
    refused(cop, "a")
    drain()

    text = words(server.messages[0])
    assert "rule gate.error" in text
    assert "canary" not in text


def test_a_folder_that_cannot_be_used_changes_no_verdict(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None], agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agentcop_home.mkdir(parents=True)
    (agentcop_home / "alerts").write_text("in the way")
    with caplog.at_level(logging.ERROR, logger="agentcop"):
        refused(cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a]}}\n"))
        drain()

    assert len(server.messages) == 1


def test_what_an_earlier_process_left_goes_out_when_a_cop_is_made(
    cop_of: Cops, server: SlackServer, agentcop_home: Path, drain: Callable[[], None]
) -> None:
    text = f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a]}}\n"
    cop = cop_of(text)
    server.answers.append((503, {}, "down"))
    refused(cop)
    drain()
    outbox = Outbox(agentcop_home / "alerts")
    ((path, waiting),) = outbox.waiting()
    with outbox.claim(path, waiting) as claim:
        assert claim is not None
        claim.put_off("down", 0.0)

    cop_of(text)

    server.wait_for(1)
    drain()
    assert outbox.items("pending") == []


def test_a_policy_without_channels_costs_nothing(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["a"]))
    refused(cop)

    assert not (agentcop_home / "alerts").exists()


def test_a_call_of_any_size_makes_an_alert_of_a_few_kilobytes(
    cop_of: Cops, server: SlackServer, drain: Callable[[], None], agentcop_home: Path
) -> None:
    cop = cop_of(f"{HEAD}monitor:\n{CHANNEL}gate: {{allow: [a]}}\n")

    refused(cop, "t" * 100_000, text="x" * 900_000)
    drain()

    assert len(server.messages) == 1
    (sent,) = (agentcop_home / "alerts" / "sent").glob("*.json")
    assert sent.stat().st_size < 20_000
