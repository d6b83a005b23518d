"""A model that a run of the OpenAI Agents SDK asks: its span with what it cost, and the SDK's own traces unchanged."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from agents import ModelSettings, Runner, TracingProcessor, set_trace_processors, set_tracing_disabled

from agentcop import AgentCop, GatePolicy
from agentcop.testing import Tools
from openai_server import Reply, say
from sdk_agents import ASK, BOTH_IN_TURN, LOOKUP, agent, both, model, run, run_streamed, wait
from telemetry import application_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.frameworks
WAYS = {"run": run, "run_streamed": run_streamed}


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**{"allow": ["lookup"], **gate}))


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("responses", [False, True], ids=["chat completions", "responses"])
def test_each_question_is_one_span_with_tokens_under_the_run(how: str, responses: bool) -> None:
    script = [LOOKUP, Reply(text="done", prompt_tokens=20, completion_tokens=3)]
    with application_provider() as exporter, model(script, responses=responses) as (llm, _):
        settings = ModelSettings(include_usage=True)  # else a stream of chat completions does not say
        made = agent(llm, both(Tools()), model_settings=settings)
        assert WAYS[how](cop().wrap(made)).final_output == "done"
        spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["chat gpt-4", "execute_tool lookup", "chat gpt-4", "invoke_agent agent"]
    whole = spans[-1]
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {whole.context.span_id}
    asked = [dict(span.attributes or {}) for span in spans if span.name.startswith("chat")]
    assert [
        (
            each["gen_ai.provider.name"],
            each["gen_ai.request.model"],
            each["gen_ai.usage.input_tokens"],
            each["gen_ai.usage.output_tokens"],
        )
        for each in asked
    ] == [("openai", "gpt-4", 11, 7), ("openai", "gpt-4", 20, 3)]


def test_a_model_outside_any_run_has_no_span_and_is_not_looked_at() -> None:
    with application_provider() as exporter, model([say("hello")]) as (llm, _):
        cop().wrap(both(Tools()))
        assert run(agent(llm, [])).final_output == "hello"
        assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("how", WAYS)
def test_a_session_remembers_what_was_said_once(how: str) -> None:
    with model([LOOKUP, say("done")]) as (llm, _):
        guard = cop()
        wrapped = guard.wrap(agent(llm, both(Tools()), instructions="Be brief."))
        with guard.session("s") as session:
            WAYS[how](wrapped, [{"role": "user", "content": [{"type": "input_text", "text": "go on"}]}])
    assert [(each.kind, each.text, each.tool) for each in session.observed()] == [
        ("user", "go on", ""),
        ("system", "Be brief.", ""),
        ("tool_result", "found x", "lookup"),
        ("assistant", "done", ""),
        ("assistant", "done", ""),
    ]


@pytest.mark.parametrize("how", WAYS)
def test_an_error_of_the_model_reaches_the_caller_and_its_span(how: str) -> None:
    with application_provider() as exporter, model([]) as (llm, _):
        with pytest.raises(Exception, match="no reply to request"):
            WAYS[how](cop().wrap(agent(llm, both(Tools()))))
        (asked, whole) = exporter.get_finished_spans()
    assert asked.name == "chat gpt-4"
    assert str((asked.attributes or {})["error.type"]).endswith("RequestError")
    assert (whole.name, whole.status.is_ok) == ("invoke_agent agent", False)


class Noted(TracingProcessor):
    """The kinds of what the SDK traces, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_trace_start(self, trace: Any) -> None:
        self.seen.append(f"start {trace.name}")

    def on_trace_end(self, trace: Any) -> None:
        self.seen.append(f"end {trace.name}")

    def on_span_start(self, span: Any) -> None:
        self.seen.append(f"start {span.span_data.type}")

    def on_span_end(self, span: Any) -> None:
        kind, exported = span.span_data.type, span.span_data.export()
        self.seen.append(f"end {kind} {exported.get('name', '')} {exported['output'] if kind == 'function' else ''}")

    def shutdown(self) -> None:
        """Nothing to do."""

    def force_flush(self) -> None:
        """Nothing to do."""


@contextmanager
def traced() -> Iterator[Noted]:
    noted = Noted()
    set_trace_processors([noted])
    set_tracing_disabled(disabled=False)
    try:
        yield noted
    finally:
        set_tracing_disabled(disabled=True)
        set_trace_processors([])


@pytest.mark.parametrize("how", WAYS)
def test_the_sdks_own_traces_are_as_without_us(how: str) -> None:
    seen = []
    for guard in (None, cop(allow=["lookup", "wipe"])):
        with model(BOTH_IN_TURN) as (llm, _), traced() as noted:
            made = agent(llm, both(Tools()))
            WAYS[how](made if guard is None else guard.wrap(made))
        seen.append(noted.seen)
    assert seen[0] == seen[1]
    assert sum(line.startswith("end function") for line in seen[1]) == 2


def test_a_refused_call_is_in_the_sdks_own_trace_with_the_refusal() -> None:
    with model(BOTH_IN_TURN) as (llm, _), traced() as noted:
        run(cop(on_block="return_message").wrap(agent(llm, both(Tools()))))
    functions = [line for line in noted.seen if line.startswith("end function")]
    assert functions[0].endswith("found x")
    assert "Blocked by policy (gate.default)" in functions[1]


def test_a_model_of_ones_own_is_asked_no_more_once_the_run_is_blocked() -> None:
    with model([Reply(calls=(("wipe", {"path": "y"}),)), say("gone")]) as (llm, url):

        class Twice(type(llm)):  # type: ignore[misc]  # a class known at run time
            async def get_response(self, *args: Any, **kwargs: Any) -> Any:
                asked.append("own")
                return await super().get_response(*args, **kwargs)

        asked: list[str] = []
        own = Twice(model="gpt-4", openai_client=llm._client)  # noqa: SLF001 -- the same scripted server
        with pytest.raises(Exception, match="not on any list"):
            wait(Runner.run(cop().wrap(agent(own, both(Tools()))), ASK))
    assert (asked, len(url.requests)) == (["own"], 1)
