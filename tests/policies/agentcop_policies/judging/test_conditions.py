from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from agentcop_core.canonical import freeze
from agentcop_core.session import Session
from agentcop_core.toolcall import Arguments, ToolCall
from agentcop_policies.judging.conditions import Condition, ConditionError, Failure, compile_condition
from agentcop_policies.when import functions

NOWHERE = Path("/nowhere")
TUESDAY = 1_700_000_000.0


def condition(text: str, folder: Path = NOWHERE) -> Condition:
    return compile_condition(text, folder=folder)


def call(arguments: dict[str, Any] | None = None, *, tool: str = "refund", at: float = TUESDAY) -> ToolCall:
    return ToolCall(tool=tool, arguments=freeze(arguments or {}), digest="", at=at)


def ask(text: str, arguments: dict[str, Any] | None = None, session: Session | None = None) -> bool | Failure:
    return condition(text).evaluate(
        call(arguments), session or Session("s"), environment="production", agent_id="agent", principal="ann"
    )


def why(text: str, arguments: dict[str, Any] | None = None) -> str:
    answer = ask(text, arguments)
    assert isinstance(answer, Failure)
    return answer.reason


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("args.amount > 100.0", {"amount": 900}, True),
        ("args.amount > 100.0", {"amount": 100}, False),
        ("args.amount > 100", {"amount": 100.5}, True),
        ("args.flag", {"flag": True}, True),
        ("args.flag", {"flag": False}, False),
        ('args["to"].endsWith("@company.com")', {"to": "a@company.com"}, True),
        ('args.to.all(t, t.endsWith("@company.com"))', {"to": ["a@company.com", "b@evil.net"]}, False),
        ("has(args.cc) && args.cc != []", {"cc": ["x"]}, True),
        ("has(args.cc) && args.cc != []", {}, False),
        ('"cc" in args', {"cc": 1}, True),
        ('"cc" in args', {"to": 1}, False),
        ("size(args) == 2", {"a": 1, "b": 2}, True),
        ('args.where["$gt"] == 1', {"where": {"gt": 1}}, None),
        ('args.where["$gt"] == 1', {"where": {"$gt": 1}}, True),
        ('"$where" in args.filter', {"filter": {"$where": "1"}}, True),
        ('args.filter.exists(key, key.startsWith("$"))', {"filter": [{"$x": 1}, {"$y": 1}]}, None),
        ('args.filters.exists(f, "$where" in f)', {"filters": [{"$where": "1"}]}, True),
        ('"$where" in args', {"$where": "1"}, True),
        ('args["$where"] == "1"', {"$where": "1"}, True),
        ('args == {"$where": "1"}', {"$where": "1"}, True),
        ('"$$where" in args', {"$where": "1"}, False),
        ('"$$where" in args.filter', {"filter": {"$$where": "1"}}, True),
        ('args.m["$key:1"] == 2', {"m": {"$key:1": 2}}, True),
        ('args.m["$key:1"] == 2', {"m": {"$key:1": 2, 1: 3}}, None),
        ('"$bytes" in args.x', {"x": b"1"}, None),
        ('"$bytes" in args.x', {"x": {"$bytes": 1}}, True),
        ("args.nested.deep.value == 3", {"nested": {"deep": {"value": 3}}}, True),
        ('tool == "refund" && agent_id == "agent" && environment == "production" && principal == "ann"', {}, True),
        ('now > timestamp("2023-01-01T00:00:00Z") && now < timestamp("2024-01-01T00:00:00Z")', {}, True),
        ('args.x.matches("^[a-z]+$")', {"x": "abc"}, True),
        ("args.id == 9007199254740993", {"id": 9007199254740993}, True),
        ("args.id > 9223372036854775807", {"id": 2**64 - 1}, True),
    ],
)
def test_a_condition_is_about_the_call(text: str, arguments: dict[str, Any], expected: bool | None) -> None:
    answer = ask(text, arguments)

    assert answer is expected if expected is not None else isinstance(answer, Failure)


@pytest.mark.parametrize(
    ("text", "arguments", "reason"),
    [
        ("args.amount > 100.0", {}, 'the call has no argument "amount"'),
        ("args.amount > 100.0", {"amount": "900"}, "a value it reads has another type than it expects"),
        ("args.amount > 100.0", {"amount": None}, "a value it reads has another type than it expects"),
        ("args.amount > 100.0", {"amount": float("nan")}, "it reads a value that has no plain form, such as bytes"),
        ("args.amount > 100.0", {"amount": float("inf")}, "it reads a value that has no plain form, such as bytes"),
        ("args.amount > 100.0", {"amount": 10**30}, "it reads a value that has no plain form, such as bytes"),
        ('args.path == "x"', {"path": b"x"}, "it reads a value that has no plain form, such as bytes"),
        ('args.path == "x"', {"path": object()}, "it reads a live object"),
        ('args.deep.path == "x"', {"deep": {"path": object()}}, "it reads a live object"),
        ("size(args) == 1", {"path": object()}, "it reads a live object"),
        ("args.flag", {"flag": 1}, "it gives something other than true or false"),
        ("args.flag", {"flag": "true"}, "it gives something other than true or false"),
        ("args.flag", {"flag": "UNKNOWN: agentcop helper: hunter2"}, "it gives something other than true or false"),
        ("args.a / args.b == 1", {"a": 1, "b": 0}, "it divides by zero"),
        ("int(args.a) == 1", {"a": "hunter2"}, "a value it reads cannot be converted"),
        ('args.m[args.k] == "x"', {"m": {}, "k": "hunter2"}, "a key it reads is missing"),
        ('args.x == ""', {"x": "x" * 70_000}, "it reads more than 64 KiB of arguments"),
        ("args.x == []", {"x": ["x" * 40_000, "y" * 40_000]}, "it reads more than 64 KiB of arguments"),
        ("args.x.all(a, args.x.all(b, a == b))", {"x": [1] * 3_000}, "it takes too long"),
        ('path.within(args.path, "./data")', {"path": 3}, "a value it reads has another type than it expects"),
        (
            'path.within(args.path, "./data")',
            {"path": "~/hunter2"},
            "the path holds `~` or `$`, which some tools expand",
        ),
        ('!path.within(args.path, "./data")', {"path": "~/x"}, "the path holds `~` or `$`, which some tools expand"),
        ('url.host_in(args.u, ["a.b"])', {"u": "https://a.b@hunter2/"}, "the URL names a user before the host"),
        ('shell.only(args.c, ["ls"])', {"c": ["ls", 3]}, "the command is a list of other things than text"),
    ],
)
def test_what_cannot_be_evaluated_is_neither_true_nor_false(text: str, arguments: dict[str, Any], reason: str) -> None:
    assert why(text, arguments) == reason
    assert "hunter2" not in reason


def test_arguments_nested_too_deeply_never_reach_the_library() -> None:
    value: list[Any] = []
    for _ in range(90):
        value = [value]

    assert why("args.x == []", {"x": value}) == "it reads arguments nested deeper than 32 levels"


def test_hostile_arguments_that_were_never_frozen_are_a_failure_too() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in (loop, "\ud800", (1, 2), object(), {"\ud800": 1}, float("nan")):
        plain = Arguments(values={}, plain={"x": value}, canonical=b"")
        hostile = ToolCall(tool="t", arguments=plain, digest="")
        assert isinstance(condition("args.x == 1").evaluate(hostile, Session("s")), Failure)


def test_a_time_beyond_the_calendar_is_a_failure() -> None:
    for at in (float("nan"), float("inf"), 1e20):
        answer = condition('now > timestamp("2020-01-01T00:00:00Z")').evaluate(call(at=at), Session("s"))
        assert isinstance(answer, Failure)


def test_an_error_that_cannot_change_the_answer_does_not() -> None:
    assert ask("args.a == 1 || args.missing == 2", {"a": 1}) is True
    assert ask("args.a == 2 && args.missing == 2", {"a": 1}) is False


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("args.a == 1", {"a"}),
        ('args["a b"] == 1', {"a b"}),
        ("has(args.a) && args.b.c == 1", {"a", "b"}),
        ('"a" in args', {"a"}),
        ("args.a.exists(args, args.b == 1)", {"a"}),
        ("args.a.exists(x, x == args.b)", {"a", "b"}),
        ("args.a.exists(args, .args.b == 1)", {"a", "b"}),
        ("{'k': args.a}.k == [args.b][0]", {"a", "b"}),
        ("args[args.key] == 1", None),
        ("size(args) > 1", None),
        ("args.exists(k, k == 'x')", None),
        ('tool == "x"', set()),
        ("session.calls > 1", set()),
    ],
)
def test_a_condition_knows_which_arguments_it_reads(text: str, arguments: set[str] | None) -> None:
    assert condition(text).arguments == (None if arguments is None else frozenset(arguments))


def test_an_argument_that_is_not_read_may_be_anything() -> None:
    unread = {"amount": 900, "body": "x" * 900_000, "live": object(), "raw": b"x"}

    assert ask("args.amount > 100.0", unread) is True


def test_session_counters_are_read_as_they_are_now() -> None:
    session = Session("s", user="ann")
    few = condition(
        "session.calls_by_tool.refund < 2 && session.calls < 3 && session.refused == 0 && session.held == 0"
    )
    assert few.uses_session
    answers = []
    for _ in range(3):
        answers.append(few.evaluate(call(), session))
        session.count_call("refund")

    assert answers == [True, True, False]


def test_a_tool_named_in_the_counters_counts_zero_before_its_first_call() -> None:
    assert ask('session.calls_by_tool["refund"] == 0') is True
    assert ask("has(session.calls_by_tool.refund)") is False
    assert isinstance(ask("session.calls_by_tool[tool] == 0"), Failure)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the condition is empty"),
        ("args.x = 1", "column 8: Syntax error: token recognition error at: '= '; did you mean `==`?"),
        ("args.x == 1 and args.y == 2", "column 13: Syntax error: mismatched input 'and'; did you mean `&&`?"),
        ("args.x ==", "column 10: the condition ends where something more is needed"),
        ('enviroment == "x"', 'column 1: unknown name "enviroment"; did you mean "environment"?'),
        ("args.x == 1 &&\nfoo == 1", 'line 2, column 1: unknown name "foo"'),
        ('path.withn(args.p, "x")', 'column 1: unknown name "path.withn"; did you mean "path.within"?'),
        ("path.within(args.p)", 'column 1: path.within is used as path.within(args.NAME, "FOLDER")'),
        ("args.a.lowerAscii() == 'x'", 'column 18: unknown name "lowerAscii"'),
        ("tool == 3", "column 6: found no matching overload for '_==_' applied to '(string, int)'"),
        ("args.x + 1", "the condition gives INT, not true or false: compare it with something"),
        ("tool", "the condition gives STRING, not true or false: compare it with something"),
        ("session.cals > 1", 'unknown name "session.cals"; did you mean "session.calls"?'),
        ('session["helt"] > 1', 'unknown name "session.helt"; did you mean "session.held"?'),
        ("size(session) > 1", "`session` alone is no value: use session.calls, session.refused, session.held, "),
        ("1 == 2", "the condition reads nothing of the call and is never true"),
        ("1 / 0 == 1", "the condition reads nothing of the call and is never true"),
        ("path.within(args.p, args.folder)", "path.within: its second argument must be written out, as "),
        ("url.host_in(args.u, args.hosts)", "url.host_in: its second argument must be written out, as "),
        ("url.host_in(args.u, [])", "url.host_in: its second argument must be written out, as "),
        ("shell.only(args.c, [tool])", "shell.only: its second argument must be written out, as "),
        ('path.within(args.p, "~/data")', "path.within: write the folder out; `~` and variables are not expanded"),
        ('url.host_in(args.u, ["https://a.b"])', 'url.host_in: "https://a.b" is not a host; write the host alone, '),
        ('shell.only(args.c, ["ls -la"])', 'shell.only: "ls -la" is not a program\'s name; write it without '),
        ("x" * 5_000, "the condition is longer than 4,096 characters"),
    ],
)
def test_an_expression_that_can_be_no_condition_is_refused_at_load(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        condition(text)

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_relative_folder_starts_at_the_policy_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    within = condition('path.within(args.path, "./data")', folder=tmp_path / "policy")

    assert within.evaluate(call({"path": "policy/data/x"}), Session("s")) is True
    assert within.evaluate(call({"path": "data/x"}), Session("s")) is False


def test_one_condition_serves_many_threads_at_once(tmp_path: Path) -> None:
    shared = condition('args.n > 3 && path.within(args.path, ".")', folder=tmp_path)
    wrong: list[int] = []

    def work() -> None:
        for number in range(300):
            inside = number % 2 == 0
            path = str(tmp_path / "x") if inside else "/elsewhere/x"
            answer = shared.evaluate(call({"n": number % 7, "path": path}), Session("s"))
            if answer is not (inside and number % 7 > 3):
                wrong.append(number)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_an_evaluation_whose_helpers_take_too_long_ends_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"x": list(range(9_000)), "command": "a;" * 2_000}
    monkeypatch.setattr(functions, "HELPERS_TIME", 0.05)
    assert why("args.x.exists(n, shell.only(args.command, ['ls']))", long) == "it takes too long"
    assert why("args.x.all(n, !shell.only(args.command, ['ls']))", long) == "it takes too long"
    monkeypatch.undo()
    assert ask("shell.only(args.command, ['a'])", {"command": "a; a"}) is True, "each evaluation has its own time"
