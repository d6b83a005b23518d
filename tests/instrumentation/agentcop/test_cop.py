from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, NoApprover, PolicyBlocked, PolicyError, SandboxRefused, ToolBlocked

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
agent_id: from-file
version: "7"
gate:
  allow: [search]
"""


def cop_with(**gate: object) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**gate))  # type: ignore[arg-type]  # each test its own keys


class Body:
    """A tool body that knows how often it ran, and with what."""

    def __init__(self) -> None:
        self.ran: list[tuple[object, ...]] = []

    def __call__(self, *args: object) -> str:
        self.ran.append(args)
        return "done"


def test_an_allowed_call_runs_and_returns_what_the_tool_returned() -> None:
    cop = cop_with(allow=["add"])

    @cop.tool
    def add(a: int, b: int = 2) -> int:
        return a + b

    assert add(1) == 3


def test_a_blocked_call_never_reaches_the_body(agentcop_home: Path) -> None:
    body = Body()
    cop = cop_with(block=["wipe"], default="allow")

    @cop.tool
    def wipe(path: str) -> str:
        return body(path)

    with pytest.raises(PolicyBlocked) as refused:
        wipe("/")

    assert body.ran == []
    assert refused.value.tool == "wipe"
    assert refused.value.rule == "gate.block[0]"
    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert (decision["verdict"], decision["args"], decision["digest"]) == (
        "block",
        {"path": "/"},
        refused.value.call_digest,
    )


def test_a_tool_on_no_list_is_refused_by_the_default() -> None:
    body = Body()
    cop = cop_with(allow=["other"])
    guarded = cop.tool(body, name="mystery")

    with pytest.raises(PolicyBlocked, match=r"mystery"):
        guarded("x")

    assert body.ran == []


def test_a_call_that_needs_approval_is_refused_when_nobody_can_be_asked(agentcop_home: Path) -> None:
    body = Body()
    cop = cop_with(require_approval=["pay"])

    @cop.tool
    def pay(amount: int) -> str:
        return body(amount)

    with pytest.raises(NoApprover):
        pay(5)

    assert body.ran == []
    assert [line["verdict"] for line in gatefile.lines(agentcop_home, "decision")] == ["require_approval"]
    assert [line["outcome"] for line in gatefile.lines(agentcop_home, "outcome")] == ["no_approver"]


def test_the_decision_is_in_the_log_before_the_body_runs(agentcop_home: Path) -> None:
    seen: list[int] = []
    cop = cop_with(allow=["look"])

    @cop.tool
    def look() -> None:
        seen.append(len(gatefile.lines(agentcop_home, "decision")))

    look()

    assert seen == [1]
    (decision,) = gatefile.lines(agentcop_home, "decision")
    (outcome,) = gatefile.lines(agentcop_home, "outcome")
    assert outcome["of"].startswith(f"{decision['w']}:{decision['n']}:")
    assert outcome["call"] == decision["call"]
    assert outcome["outcome"] == "ok"


def test_a_tool_that_raises_raises_the_same_to_the_caller_and_says_so_in_the_log(agentcop_home: Path) -> None:
    cop = cop_with(allow=["fail"])

    @cop.tool
    def fail() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError, match="k"):
        fail()

    (outcome,) = gatefile.lines(agentcop_home, "outcome")
    assert (outcome["outcome"], outcome["error"]) == ("error", "KeyError")


def test_secrets_in_arguments_do_not_reach_the_log(agentcop_home: Path) -> None:
    cop = cop_with(allow=["login"])

    @cop.tool
    def login(user: str, password: str) -> None:
        pass

    login("ann", "hunter2-canary")

    text = (agentcop_home / "gate.log").read_text(encoding="utf-8")
    assert "hunter2-canary" not in text
    assert '"ann"' in text


@pytest.mark.parametrize(
    "arguments",
    [
        {"policy": GatePolicy(allow=["a"]), "policy_file": "x.yaml", "agent_id": "a"},
        {"gate": True, "agent_id": "a"},
        {"agent_id": "a"},
        {},
        {"policy": GatePolicy(allow=["a"])},
        {"policy_file": ""},
        {"policy": GatePolicy(allow=["a"]), "agent_id": "a", "sandbox_mode": "vm"},
    ],
)
def test_arguments_that_contradict_each_other_are_a_policy_error(arguments: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        AgentCop(**arguments)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "wrong",
    [{"gate": "yes"}, {"scan": 1}, {"policy": True}, {"agent_id": 7}, {"policy": None, "policy_file": {"a": 1}}],
)
def test_a_wrong_type_is_an_error_at_once_and_not_at_the_first_call(wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {"agent_id": "a", "policy": GatePolicy(allow=["a"]), **wrong}
    with pytest.raises(TypeError, match=r"^AgentCop: \w+ must be "):
        AgentCop(**arguments)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("wrong", [{"id": 42}, {"user": None}])
def test_a_session_is_named_by_text(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^session: \w+ must be a str"):
        cop_with(allow=["a"]).session(**wrong)


def test_a_policy_file_that_is_not_there_is_named_with_the_folder_it_was_looked_for_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolicyError) as refused:
        AgentCop(policy_file="nope.yaml")
    assert str(refused.value) == f"nope.yaml: cannot read the policy: No such file or directory (looked in {tmp_path})"


def test_a_condition_written_in_python_is_refused_with_its_place_said_once() -> None:
    with pytest.raises(PolicyError) as refused:
        cop_with(allow=[{"tool": "x", "when": "arg.a > 3"}])
    assert str(refused.value) == 'GatePolicy gate.allow[0].when: column 4: unknown name "arg.a"; did you mean "args"?'


def test_an_agent_id_that_differs_from_the_files_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")

    assert AgentCop(policy_file=path).agent_id == "from-file"
    assert AgentCop(agent_id="from-file", policy_file=path).policy.version == "7"
    with pytest.raises(PolicyError, match="other"):
        AgentCop(agent_id="other", policy_file=path)


def test_a_sandbox_that_this_build_cannot_give_refuses_what_would_run_and_nothing_else() -> None:
    body = Body()
    cop = AgentCop(agent_id="agent", policy=GatePolicy(allow=["search"], block=["wipe"]), sandbox_mode="container")
    search = cop.tool(body, name="search")

    with pytest.raises(SandboxRefused, match="sandbox"):
        search("x")
    wipe = cop.tool(Body(), name="wipe")
    with pytest.raises(PolicyBlocked) as refused:
        wipe("/")

    assert refused.value.rule == "gate.block[0]"
    assert body.ran == []


def test_observe_mode_runs_the_tool_and_logs_what_it_would_have_done(tmp_path: Path, agentcop_home: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("agent_id: a\nmode: observe\ngate:\n  block: [wipe]\n  default: allow\n", encoding="utf-8")
    body = Body()
    wipe = AgentCop(policy_file=path).tool(body, name="wipe")

    assert wipe("x") == "done"

    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert (decision["verdict"], decision["mode"]) == ("block", "observe")
    assert body.ran == [("x",)]


def test_a_session_names_the_conversation_and_the_principal(agentcop_home: Path) -> None:
    cop = AgentCop(
        agent_id="a",
        policy=GatePolicy(allow=[{"tool": "pay", "when": 'principal == "ann" && session.calls < 2'}]),
    )
    body = Body()
    pay = cop.tool(body, name="pay")

    with cop.session(id="c1", user="ann"):
        pay(1)
        pay(2)
        with pytest.raises(ToolBlocked):
            pay(3)
    with cop.session(id="c1", user="bob"), pytest.raises(ToolBlocked):
        pay(4)

    assert body.ran == [(1,), (2,)]
    assert {line["session"] for line in gatefile.lines(agentcop_home, "decision")} == {"c1"}


def test_every_call_is_counted() -> None:
    cop = cop_with(allow=["yes"], require_approval=["ask"])
    cop.tool(Body(), name="yes")()
    for name in ("ask", "no"):
        with pytest.raises(ToolBlocked):
            cop.tool(Body(), name=name)()

    counts = cop.counts()
    assert (counts["allowed"], counts["held"], counts["blocked"]) == (1, 1, 1)


def test_a_decorator_below_the_guard_sees_the_call_as_it_was_made() -> None:
    seen: list[object] = []

    def looking(function: Any) -> Any:
        @functools.wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            seen.append((args, kwargs))
            return function(*args, **kwargs)

        return inner

    cop = AgentCop(agent_id="agent", policy=GatePolicy(default="allow"))

    @cop.tool
    @looking
    def tool(first: str, second: int = 2) -> str:
        return f"{first} {second}"

    assert (tool("a"), tool("a", 3), tool(first="a")) == ("a 2", "a 3", "a 2")
    assert seen == [(("a",), {"second": 2}), (("a", 3), {}), ((), {"first": "a", "second": 2})]
