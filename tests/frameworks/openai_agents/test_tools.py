"""One function tool of the OpenAI Agents SDK behind the gate: what is judged is what its body receives."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agents import FunctionTool, RunContextWrapper, function_tool
from agents.tool_context import ToolContext
from pydantic import BaseModel, Field, field_validator

from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop.testing import Tools
from openai_server import Reply, call_tool, say
from sdk_agents import agent, both, model, outputs, run, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.agent import AgentBase

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**(gate or {"default": "allow"})))


def lines(guard: AgentCop, kind: str) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in guard.gate_log.read_text().splitlines()]
    return [line for line in every if line["kind"] == kind]


def call(tool: Any, text: str) -> Any:
    context = ToolContext(context=None, tool_name=tool.name, tool_call_id="call-1", tool_arguments=text)
    return wait(tool.on_invoke_tool(context, text))


def in_a_run(guard: AgentCop, tool: Any, raw: str) -> list[Any]:
    """What the model reads when it calls the tool with these raw arguments."""
    reply = Reply(calls=((tool.name, {}),), raw_arguments=raw)
    with model([reply, say("done")]) as (llm, _):
        return outputs(run(guard.wrap(agent(llm, [tool]))))


def pay_tool(**options: Any) -> FunctionTool:
    @function_tool(**options)
    def pay(amount: float, unit: str = "EUR") -> str:
        """Pay."""
        RAN.append((amount, unit))
        return f"paid {amount} {unit}"

    return pay


def raw_tool(name: str = "pay", **options: Any) -> FunctionTool:
    """A tool by hand: its body is given text and parses it."""

    async def invoke(context: Any, text: str) -> str:
        RAN.append(text)
        return f"ran {text}"

    schema = {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "times": {"type": "integer", "default": 1},
            "force": {"type": "boolean"},
            "path": {"type": "string"},
        },
    }
    made = {"description": "Pay.", "params_json_schema": schema, "strict_json_schema": False, **options}
    return FunctionTool(name=name, on_invoke_tool=invoke, **made)


def test_parsed_values_with_defaults_are_judged_and_run() -> None:
    guard = cop(allow=[{"tool": "pay", "when": 'args.amount <= 100.0 && args.unit == "EUR"'}])
    pay = pay_tool()
    assert guard.wrap([pay])[0] is pay
    assert call(pay, '{"amount": "40"}') == "paid 40.0 EUR"
    for refused in ('{"amount": "400"}', '{"amount": 1, "unit": "USD"}'):
        with pytest.raises(PolicyBlocked):
            call(pay, refused)
    assert RAN == [(40.0, "EUR")]
    assert [line["args"] for line in lines(guard, "decision")][:2] == [
        {"amount": 40.0, "unit": "EUR"},
        {"amount": 400.0, "unit": "EUR"},
    ]


class Shifting(BaseModel):
    """A path that is another each time it is looked at."""

    path: str

    @field_validator("path", mode="before")
    @classmethod
    def another(cls, value: Any) -> Any:
        if isinstance(seen := LOOKS.pop(0), Exception):
            raise seen
        return seen


LOOKS: list[Any] = []


def read_tool() -> FunctionTool:
    @function_tool
    def read(file: Shifting) -> str:
        """Read."""
        RAN.append(file.path)
        return "read"

    return read


def test_what_a_validator_makes_of_the_arguments_is_judged_and_runs() -> None:
    LOOKS[:] = ["/tmp/ok", "/etc/shadow", "/etc/shadow"]
    guard = cop(allow=[{"tool": "read", "when": 'args.file.path == "/tmp/ok"'}])
    call(guard.wrap([read_tool()])[0], '{"file": {"path": "x"}}')
    assert RAN == ["/tmp/ok"]


def test_arguments_that_fit_only_at_the_second_look_do_not_run() -> None:
    LOOKS[:] = [ValueError("not yet"), "/etc/shadow", "/etc/shadow"]
    call(cop(allow=["nothing"]).wrap([read_tool()])[0], '{"file": {"path": "x"}}')
    assert RAN == []


class Place(BaseModel):
    """Where."""

    city: str
    zip: int = Field(alias="postcode")


def test_rich_arguments_are_judged_by_value_and_arrive_as_what_they_are() -> None:
    @function_tool(strict_mode=False)
    def book(where: Place, when: date, file: Path, *more: int, **rest: str) -> str:
        """Book."""
        RAN.append((where, when, file, more, rest))
        return "booked"

    guard = cop(allow=[{"tool": "book", "when": 'args.where.city == "Ulm" && args.when == "2026-01-02"'}])
    given = {
        "where": {"city": "Ulm", "postcode": "89073"},
        "when": "2026-01-02",
        "file": "/tmp/x",
        "more": ["1", 2],
        "rest": {"note": "n"},
    }
    assert call(guard.wrap([book])[0], json.dumps(given)) == "booked"
    ((where, when, file, more, rest),) = RAN
    assert (type(where), where.city, where.zip, when, file) == (Place, "Ulm", 89073, date(2026, 1, 2), Path("/tmp/x"))
    assert (more, rest) == ((1, 2), {"note": "n"})


def test_the_context_is_the_applications_and_no_argument() -> None:
    @function_tool
    def who(context: RunContextWrapper[Any], name: str) -> str:
        """Who."""
        RAN.append((context.context, name))
        return "ok"

    guard = cop(allow=["who"])
    with model([call_tool("who", name="ann"), say("done")]) as (llm, _):
        run(guard.wrap(agent(llm, [who])), context={"user": "u"})
    assert RAN == [({"user": "u"}, "ann")]
    assert lines(guard, "decision")[0]["args"] == {"name": "ann"}


@pytest.mark.parametrize("raw", ['{"amount": "much"}', "{}", "no json", "[1]", '"x"', "17", '{"amount": 1'])
def test_arguments_that_do_not_fit_are_no_verdict_and_answered_as_without_us(raw: str) -> None:
    without, guard = pay_tool(), cop()
    expected = call(without, raw)
    assert call(guard.wrap([pay_tool()])[0], raw) == expected
    assert in_a_run(guard, pay_tool(), raw) == [expected]
    assert (RAN, guard.counts()) == ([], {"invalid": 2})
    assert [line["tool"] for line in lines(guard, "invalid")] == ["pay", "pay"]


def test_a_tools_own_handling_of_its_errors_still_works_and_cannot_hide_a_refusal() -> None:
    @function_tool(failure_error_function=lambda context, error: f"hushed up {type(error).__name__}")
    def fail() -> str:
        """Fail."""
        raise RuntimeError

    guard = cop(allow=["fail"])
    assert call(guard.wrap([fail])[0], "") == "hushed up RuntimeError"
    with pytest.raises(PolicyBlocked):
        call(cop(block=["fail"], default="allow").wrap([copy.copy(fail)])[0], "")


TWICE = ['{"amount": 1, "amount": 1000}', '{"amount": 1, "unit": "a", "\\u0061mount": 1000}', '{"x": {"a": 1, "a": 2}}']


@pytest.mark.parametrize("make", [pay_tool, raw_tool], ids=["function", "by hand"])
@pytest.mark.parametrize("raw", TWICE)
def test_one_key_twice_is_refused_whatever_a_policy_says(make: Callable[[], Any], raw: str) -> None:
    guard = cop(default="allow", on_block="return_message")
    assert in_a_run(guard, make(), raw) == ["Blocked by policy (gate.arguments). Do not retry; tell the user."]
    assert (RAN, guard.counts()) == ([], {"blocked": 1})


@pytest.mark.parametrize("raw", ["no json", "[1]", "null", "17", '"x"', " ", "{'amount': 1}", "{}{}"])
def test_a_body_that_parses_by_itself_gets_no_text_that_could_not_be_judged(raw: str) -> None:
    guard = cop(default="allow", on_block="return_message")
    assert in_a_run(guard, raw_tool(), raw) == ["Blocked by policy (gate.arguments). Do not retry; tell the user."]
    assert RAN == []


@pytest.mark.parametrize(
    ("raw", "judged"),
    [
        ('{"amount": "900"}', {"amount": 900.0, "times": 1}),
        ('{"amount": " 9_00 ", "force": "YES"}', {"amount": 900.0, "force": True, "times": 1}),
        ('{"amount": 1, "times": "2.0"}', {"amount": 1.0, "times": 2}),
        ('{"amount": true, "force": 0}', {"amount": 1.0, "force": False, "times": 1}),
        ('{"amount": "much", "times": null}', {"amount": "much", "times": None}),
        ('{"path": 7, "other": "8"}', {"path": 7, "other": "8", "times": 1}),
        ("", {"times": 1}),
    ],
)
def test_a_body_that_parses_by_itself_gets_the_text_of_what_was_judged(raw: str, judged: dict[str, Any]) -> None:
    guard = cop(allow=["pay"])
    call(guard.wrap([raw_tool()])[0], raw)
    (text,) = RAN
    assert json.loads(text) == judged
    assert json.dumps(json.loads(text), sort_keys=True) == json.dumps(judged, sort_keys=True)
    assert lines(guard, "decision")[0]["args"] == judged


def test_a_text_that_a_lenient_body_would_read_as_more_than_allowed_is_more_than_allowed() -> None:
    guard = cop(allow=[{"tool": "pay", "when": "args.amount <= 100.0"}], on_block="return_message")
    for raw in (
        '{"amount": "900"}',
        '{"amount": "9e2"}',
        '{"amount": "\uff19\uff10\uff10"}',
        '{"amount": "nan"}',
        "{}",
    ):
        assert in_a_run(guard, raw_tool(), raw) == ["Blocked by policy (gate.default). Do not retry; tell the user."]
    assert RAN == []


def test_arguments_that_nobody_could_parse_run_nothing() -> None:
    guard = cop(default="allow")
    with pytest.raises(PolicyBlocked, match="not the text of a JSON object"):
        call(guard.wrap([raw_tool()])[0], "[" * 100_000)
    assert RAN == []


def test_huge_arguments_are_refused_and_named() -> None:
    guard = cop(default="allow", on_block="return_message")
    raw = json.dumps({"path": "x" * 2_000_000})
    assert in_a_run(guard, raw_tool(), raw) == ["Blocked by policy (gate.arguments). Do not retry; tell the user."]
    assert RAN == []


@pytest.mark.parametrize("name", ["lооkup", "LOOKUP", "look\u200bup", "ｌookup", "lookup "])  # noqa: RUF001 -- the point
def test_a_name_that_only_looks_like_an_allowed_one_is_judged_as_what_it_is(name: str) -> None:
    guard = cop(allow=["lookup"], block=["wipe"], on_block="return_message")
    tool = raw_tool(name)
    with model([Reply(calls=((name, {}),)), say("done")]) as (llm, _):
        run(guard.wrap(agent(llm, [tool])))
    decided = {line["tool"]: line["verdict"] for line in lines(guard, "decision")}
    assert decided in ({"lookup": "allow"}, {name: "block"}, {"LOOKUP": "block"})
    assert len(RAN) == (1 if "lookup" in decided else 0)


def test_a_name_that_the_model_makes_up_runs_nothing() -> None:
    with model([call_tool("shell", command="rm")]) as (llm, _), pytest.raises(Exception, match="shell"):
        run(cop().wrap(agent(llm, [pay_tool()])))
    assert RAN == []


def test_a_wrapped_tool_is_governed_outside_any_run_and_inside_one_of_nobody() -> None:
    tools = Tools()
    with model([call_tool("wipe", path="y"), say("gone")]) as (llm, _):
        made = both(tools)
        guard = cop(allow=["lookup"])
        guard.wrap(made)
        with pytest.raises(Exception, match="not on any list"):
            run(agent(llm, made))
    assert (tools.ran, guard.counts()) == ([], {"blocked": 1})


def test_a_tool_that_is_switched_off_when_it_is_called_is_judged_all_the_same() -> None:
    def once(context: Any, owner: AgentBase) -> bool:
        RAN.append("asked")
        return True

    guard = cop(allow=["lookup"], on_block="return_message")
    assert in_a_run(guard, pay_tool(is_enabled=once), '{"amount": 1}') == [
        "Blocked by policy (gate.default). Do not retry; tell the user."
    ]
    assert set(RAN) == {"asked"}


def test_the_decorator_and_a_name_of_ones_own() -> None:
    guard = cop(allow=["web_search"])
    search = function_tool(Tools().lookup)
    assert guard.tool(search, name="web_search") is search
    assert call(search, '{"query": "x"}') == "found x"
    assert [line["tool"] for line in lines(guard, "decision")] == ["web_search"]
