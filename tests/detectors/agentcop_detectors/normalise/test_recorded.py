"""What the spans of real libraries become: recorded by `scripts/record-spans`, compared as outlines."""

from __future__ import annotations

import orjson
import pytest

from agentcop_detectors.normalise import json_form
from step_outline import FIXTURES, binary_steps, outline, recorded, recorded_steps

EXPECTED = {
    "agentcop_langchain": """
agent assistant failed: PolicyBlocked
  model gpt-4o of assistant 11+7
  tool weather of assistant [call_1_0] allow by gate.allow[0]
  model gpt-4o of assistant 11+7
  tool wire_money of assistant [call_2_0] block by gate.default failed: PolicyBlocked
agent assistant failed: RuntimeError
  model gpt-4o of assistant 11+7
  tool read_ledger of assistant [call_3_0] allow by gate.allow[1] failed: RuntimeError
""",
    "pydantic_ai": """
agent assistant
  model gpt-4o of assistant 11+7
  tool weather of assistant {"city":"Paris"} -> sunny in Paris [call_1_0]
  model gpt-4o of assistant 11+7
  tool ask_expert of assistant {"question":"why?"} -> 42 [call_2_0]
    agent expert
      model gpt-4o of expert 11+7
  model gpt-4o of assistant 11+7
agent assistant failed: RuntimeError
  model gpt-4o of assistant 11+7
  tool read_ledger of assistant {"account":"a-7"} [call_5_0] failed: RuntimeError
""",
    "pydantic_ai_before": """
agent assistant
  model gpt-4o of assistant 11+7
  tool weather of assistant {"city":"Paris"} -> sunny in Paris [call_1_0]
  model gpt-4o of assistant 11+7
  tool ask_expert of assistant {"question":"why?"} -> 42 [call_2_0]
    agent expert
      model gpt-4o of expert 11+7
  model gpt-4o of assistant 11+7
agent assistant failed: RuntimeError
  model gpt-4o of assistant 11+7
  tool read_ledger of assistant {"account":"a-7"} [call_5_0] failed: RuntimeError
""",
    "openinference": """
agent assistant
  model gpt-4o of assistant 11+7
  tool weather of assistant Paris -> {"type": "tool", "data": {"content": "su
  model gpt-4o of assistant 11+7
  tool ask_expert of assistant why? -> {"type": "tool", "data": {"content": "42
    agent expert
      model gpt-4o of expert 11+7
  model gpt-4o of assistant 11+7
agent assistant failed: RuntimeError
  model gpt-4o of assistant 11+7
  tool read_ledger of assistant a-7 failed: RuntimeError
model gpt-4o 11+7
model gpt-4o 11+7
""",
    "openllmetry": """
agent assistant
  model gpt-4o of assistant 11+7
  tool weather of assistant {"city":"Paris"} -> sunny in Paris [call_1_0]
  model gpt-4o of assistant 11+7
  tool ask_expert of assistant {"question":"why?"} -> 42 [call_2_0]
    agent expert
    model gpt-4o of expert 11+7
  model gpt-4o of assistant 11+7
agent assistant failed: RuntimeError
  model gpt-4o of assistant 11+7
  tool read_ledger of assistant {"account":"a-7"} [call_5_0] failed: RuntimeError
model gpt-4o 11+7
model gpt-4o 11+7
""",
    "openllmetry_before": """
model gpt-4o 11+7
model gpt-4o 0+0
""",
    "opentelemetry_openai": """
model gpt-4o 11+7
model gpt-4o 11+7
""",
    "strands": """
agent assistant
  model gpt-4o 11+7
  tool weather {"city": "Paris"} -> [{"text": "sunny in Paris"}] [call_1_0]
  model gpt-4o 11+7
  tool read_ledger {"account": "a-7"} -> [{"text": "Error: RuntimeError - the led [call_2_0] failed: RuntimeError
  model gpt-4o 11+7
  tool ask_expert {"question": "why?"} -> [{"text": "42\\n"}] [call_3_0]
    agent expert
      model gpt-4o 11+7
  model gpt-4o 11+7
""",
    "google_adk": """
agent assistant
  model openai/gpt-4o of assistant 11+7
  tool weather of assistant {"city": "Paris"} -> {"result": "sunny in Paris"} [call_1_0]
  model openai/gpt-4o of assistant 11+7
  tool expert of assistant {"request": "why?"} -> {"result": "42"} [call_2_0]
    agent expert
      model openai/gpt-4o of expert 11+7
  model openai/gpt-4o of assistant 11+7
agent assistant failed: RuntimeError
  model openai/gpt-4o of assistant 11+7
  tool read_ledger of assistant {"account": "a-7"} failed: RuntimeError
""",
    "crewai": """
agent assistant
  model gpt-4o of assistant 11+7
  tool weather of assistant {"city": "Paris"} -> "sunny in Paris"
  model gpt-4o of assistant 11+7
  tool read_ledger of assistant {"account": "a-7"} failed: RuntimeError
  model gpt-4o of assistant 11+7
agent expert
  model gpt-4o of expert 11+7
""",
    "mcp_client": """
transport weather
  transport weather
transport read_ledger failed: tool_error
  transport read_ledger
""",
    "autogen": """
agent assistant
  tool weather [call_1_0]
  tool read_ledger [call_2_0] failed: RuntimeError
  tool expert [call_3_0]
    agent expert
agent teammate
  tool weather [call_6_0]
""",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_spans_become_the_steps_of_the_agent_that_sent_them(name: str) -> None:
    assert outline(recorded_steps(name)) == EXPECTED[name].strip()


def test_every_recording_is_looked_at() -> None:
    assert sorted(path.stem for path in FIXTURES.glob("*.json")) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_gives_the_same_steps_in_json_and_in_binary(name: str) -> None:
    assert binary_steps(name) == recorded_steps(name)


@pytest.mark.parametrize("name", EXPECTED)
def test_no_attribute_of_a_recording_is_spoiled(name: str) -> None:
    assert sum(span.spoiled for span in json_form.spans_of(recorded(name))) == 0


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_names_its_versions_and_no_machine(name: str) -> None:
    raw = recorded(name)
    resource = orjson.loads(raw)["resourceSpans"][0]["resource"]["attributes"]

    assert any(each["key"] == "recorded.with" and "==" in each["value"]["stringValue"] for each in resource)
    assert len(raw) < 100_000
    tops = ("root", "home", "tmp", "work", "opt", "srv", "Users", "workspace")
    assert [top for top in tops if f"/{top}/".encode() in raw] == []
    assert b"site-packages/python" not in raw


@pytest.mark.parametrize(
    ("name", "session"),
    [("openinference", "s-1"), ("openllmetry", "s-1"), ("strands", "s-1"), ("google_adk", "s-1")],
)
def test_a_conversation_is_found_where_the_library_names_it(name: str, session: str) -> None:
    first = min(recorded_steps(name), key=lambda step: (step.start, step.span_id))

    assert first.session_id == session


@pytest.mark.parametrize("name", ["pydantic_ai", "strands", "google_adk", "openinference", "openllmetry", "crewai"])
def test_what_the_user_asked_is_found(name: str) -> None:
    asked = next(step for step in recorded_steps(name) if step.kind == "model")

    assert "How is the weather in Paris" in asked.words
