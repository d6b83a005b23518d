"""What makes a span a step of its kind, beyond what the recordings show."""

from __future__ import annotations

from typing import Any

import pytest

from agentcop_detectors.normalise.conventions import CONVENTIONS
from agentcop_detectors.normalise.conventions._interface import HINTS
from agentcop_detectors.normalise.names import EVENTS, NUMBERS, WANTED
from agentcop_detectors.normalise.raw import RawSpan
from agentcop_detectors.normalise.steps import Unusable, step_of
from agentcop_detectors.step import Step

SERVER, CLIENT = 2, 3


def span(name: str = "span", *, scope: str = "test", side: int = 1, ids: bytes = b"t" * 16, **words: Any) -> RawSpan:
    resource = {"service": "billing", "environment": "live"}
    return RawSpan(ids, b"s" * 8, b"", name, 5, 9, side, 0, "", scope, resource, words)


def test_every_word_is_a_field_of_a_step_or_a_hint() -> None:
    words = {word for word, _ in WANTED.values()} | {word for keys in EVENTS.values() for word, _ in keys.values()}

    assert words <= set(Step.__struct_fields__) | set(HINTS)
    assert all(type(getattr(Step(trace_id=b"", span_id=b""), word)) is int for word in NUMBERS)


def test_conventions_have_names_of_their_own_and_amend_only_scopes_they_name() -> None:
    assert len({each.name for each in CONVENTIONS}) == len(CONVENTIONS)
    assert all(bool(each.amend) == bool(each.scopes) for each in CONVENTIONS)


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        (span("execute_tool pay"), "tool", "pay"),
        (span("running tool: pay"), "tool", "pay"),
        (span("invoke_agent clerk"), "agent", "clerk"),
        (span("agent run", agent_name="clerk"), "agent", "clerk"),
        (span("chat gpt-4"), "model", "gpt-4"),
        (span("anything", verdict="allow", tool="pay"), "tool", "pay"),
        (span("anything", span_kind="TOOL", tool="pay"), "tool", "pay"),
        (span("pay.tool", span_kind="tool", entity="pay"), "tool", "pay"),
        (span("execute_tool pay", operation="create_agent"), "other", "execute_tool pay"),
        (span("GET /"), "other", "GET /"),
        (span("tools/call pay", side=CLIENT, mcp_method="tools/call"), "transport", "pay"),
        (span("tools/call pay", side=SERVER, mcp_method="tools/call", operation="execute_tool"), "other", None),
        (span("tools/list", side=CLIENT, mcp_method="tools/list"), "other", "tools/list"),
        (span("x", mcp_method="tools/call", verdict="block", tool="pay", operation="execute_tool"), "tool", "pay"),
    ],
)
def test_the_kind_and_the_name_follow_what_the_span_says(given: RawSpan, kind: str, name: str | None) -> None:
    step = step_of(given)

    assert (step.kind, step.name) == (kind, name if name is not None else given.name)


@pytest.mark.parametrize(
    ("words", "agent"),
    [
        ({"agent": "cop", "agent_name": "clerk", "agent_instance": "7f"}, "cop"),
        ({"agent_name": "clerk", "agent_instance": "7f"}, "clerk"),
        ({"agent_instance": "7f"}, "7f"),
        ({}, ""),
    ],
)
def test_an_agent_is_known_by_what_stays_the_same_over_its_runs(words: dict[str, Any], agent: str) -> None:
    assert step_of(span(**words)).agent_id == agent


def test_content_is_kept_where_it_belongs_and_the_service_is_the_resources() -> None:
    tool = step_of(span(operation="execute_tool", arguments="{}", result="r", service="forged"))
    model = step_of(span(operation="chat", arguments="asked", result="answer"))
    other = step_of(span(arguments="a", result="r", words="w"))

    assert (tool.arguments, tool.result, tool.words) == ("{}", "r", "")
    assert (model.arguments, model.result, model.words) == ("", "", "asked")
    assert (other.arguments, other.result, other.words) == ("", "", "")
    assert (tool.service, tool.environment) == ("billing", "live")


@pytest.mark.parametrize(
    "hidden", ["", "{", "[1]", "null", "{" * 2_000, '{"lc_agent_name": 5, "thread_id": []}', "\x00"]
)
@pytest.mark.parametrize("scope", sorted({each for convention in CONVENTIONS for each in convention.scopes}))
def test_nothing_that_a_sender_packs_into_a_text_breaks_an_amendment(scope: str, hidden: str) -> None:
    given = span("x.workflow", scope=scope, operation="execute_tool", arguments=hidden, result=hidden, extra=hidden)

    assert step_of(given).kind in {"tool", "other"}


@pytest.mark.parametrize("kwargs", ['{"kwargs": 5, "inputs": 1}', '{"output": {"kwargs": {}}}', '{"inputs": null}'])
def test_what_langchain_packs_is_read_whatever_its_types_are(kwargs: str) -> None:
    given = span(
        scope="opentelemetry.instrumentation.langchain", operation="execute_tool", arguments=kwargs, result=kwargs
    )

    assert isinstance(step_of(given).arguments, str)


@pytest.mark.parametrize("ids", [b"", b"t" * 15, bytes(16)])
def test_a_span_without_a_trace_is_unusable(ids: bytes) -> None:
    with pytest.raises(Unusable):
        step_of(span(ids=ids))
