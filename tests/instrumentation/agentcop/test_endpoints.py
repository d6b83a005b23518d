"""Where the spans of a process go by its environment alone: a real OTLP receiver gets them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from receivers import GrpcReceiver, HttpReceiver, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
from agentcop import AgentCop, GatePolicy, ToolBlocked
cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]))
tools = cop.wrap({"search": lambda query: query, "wipe": lambda path: path})
tools["search"](query="canary")
try:
    tools["wipe"](path="canary")
except ToolBlocked:
    pass
"""


@pytest.fixture(params=[HttpReceiver, GrpcReceiver], ids=["http", "grpc"])
def receiver(request: pytest.FixtureRequest) -> Iterator[HttpReceiver | GrpcReceiver]:
    running = request.param().start()
    yield running
    running.stop()


def run(**environment: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, check=True)


def endpoint(receiver: HttpReceiver | GrpcReceiver) -> dict[str, str]:
    protocol = "http/protobuf" if isinstance(receiver, HttpReceiver) else "grpc"
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
    }


def test_an_endpoint_is_all_it_takes_to_see_each_call_with_its_verdict(receiver: HttpReceiver | GrpcReceiver) -> None:
    run(**endpoint(receiver))
    found = {span.name: attributes_of(span) for span in receiver.spans}
    assert {name: attributes["agentcop.verdict"] for name, attributes in found.items()} == {
        "execute_tool search": "allow",
        "execute_tool wipe": "block",
    }
    assert "canary" not in str(receiver.spans), "arguments leave by OpenTelemetry's own switch alone"


def test_the_detectors_endpoint_gets_each_span_once_with_redacted_arguments() -> None:
    receiver = HttpReceiver().start()
    try:
        run(AGENTCOP_OTLP_ENDPOINT=receiver.url)
    finally:
        receiver.stop()
    assert sorted(span.name for span in receiver.spans) == ["execute_tool search", "execute_tool wipe"]
    assert len(set(receiver.ids)) == 2
    assert {attributes_of(span)["gen_ai.tool.call.arguments"] for span in receiver.spans} == {
        '{"query":"canary"}',
        '{"path":"canary"}',
    }
