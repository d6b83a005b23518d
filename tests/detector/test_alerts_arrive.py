"""What the detector finds reaches a person, once, and its row and the metrics say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from detector_service import Service, detector, post
from exporting import until
from otlp_requests import request
from slack_server import SlackServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.detector

POLICY = "agent_id: anybody\nmonitor:\n  alert_channels: [{type: webhook, url: '${URL}'}]\ngate: {allow: [a]}\n"


def unjudged_call(service: Service) -> str:
    """Send a tool call that no gate saw; its trace id."""
    made = request(1)
    span = made.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="gen_ai.operation.name").value.string_value = "execute_tool"
    span.attributes.add(key="gen_ai.tool.name").value.string_value = "pay"
    code, _, _ = post(f"{service.http}/v1/traces", made.SerializeToString(), Content_Type="application/x-protobuf")
    assert code == 200
    return span.trace_id.hex()


def test_a_finding_arrives_once_and_its_row_says_sent(tmp_path: Path) -> None:
    policy = tmp_path / "default.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    with SlackServer() as server:
        environment = {"URL": server.hook}
        with detector(tmp_path / "home", "--alerts", policy, environment=environment) as service:
            trace = unjudged_call(service)
            until(lambda: service.rows("SELECT told FROM alerts WHERE kind = 'unenforced_call'") == [("sent",)])
            kind = 'agentcop_detector_alerts_total{kind="unenforced_call",severity="critical"}'
            until(lambda: service.metric(kind) == 1)
            code, page = service.get(f"/runs/{trace}")
            assert code == 200
            assert "pay" in page
            assert service.get("/alerts")[0] == 200
            until(lambda: service.metric('agentcop_detector_alert_deliveries_total{outcome="sent"}') >= 1)
            service.kill("scorer")
            service.wait_ready()
            assert service.stop() == 0
        found = [each for each in server.posted if each["trace_id"] == trace and each["kind"] == "unenforced_call"]
        assert len(found) == 1
        assert found[0]["agent_id"] == "billing"


def test_what_no_channel_takes_is_told_after_a_restart(tmp_path: Path) -> None:
    policy = tmp_path / "default.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    server = SlackServer()
    server.start()
    url = server.hook
    server.stop()
    told = "SELECT told FROM alerts WHERE kind = 'unenforced_call'"
    with detector(tmp_path / "home", "--alerts", policy, environment={"URL": url}) as service:
        unjudged_call(service)
        until(lambda: service.rows(told) == [("spooled",)])
        assert service.stop() == 0
    server.start()
    with detector(tmp_path / "home", "--alerts", policy, environment={"URL": url}) as service:
        until(lambda: service.rows(told) == [("sent",)])
    server.stop()
    assert len([each for each in server.posted if each["kind"] == "unenforced_call"]) == 1


def test_a_finding_that_nobody_is_to_hear_of_is_logged_and_says_so(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as service:
        trace = unjudged_call(service)
        until(lambda: service.rows("SELECT told FROM alerts WHERE kind = 'unenforced_call'") == [("nobody",)])
        assert f"alert: critical unenforced_call: agent=billing tool=pay trace={trace}" in service.log
