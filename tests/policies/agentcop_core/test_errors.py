"""The error tree: catchable at the root, and whole after crossing a process boundary."""

from __future__ import annotations

import copy
import pickle

import pytest

from agentcop_core import errors
from agentcop_core.canonical import ArgumentRefused
from agentcop_core.errors import (
    AgentCopError,
    AgentFrozen,
    ApprovalDenied,
    ApprovalExpired,
    NoApprover,
    NotArmed,
    PolicyBlocked,
    PolicyError,
    ResultTooLarge,
    ResultUnsendable,
    SandboxCrashed,
    SandboxError,
    SandboxRefused,
    SandboxTimeout,
    ScanError,
    ScanRefused,
    ToolBlocked,
)
from agentcop_core.verdict import Verdict

VERDICT = Verdict(decision="block", rule="gate.block[1]", reason="it is on the list", at="policy.yaml:14:5", digest="d")

EVERY = [
    AgentCopError("what"),
    PolicyError(["policy.yaml:1:1 one", "policy.yaml:2:1 two"]),
    ToolBlocked(tool="shell", reason="no", verdict=VERDICT, call_digest="ab"),
    PolicyBlocked(tool="shell", reason="no", verdict=VERDICT, call_digest="ab"),
    ApprovalDenied(tool="shell", reason="no", by="eve", message="never", verdict=VERDICT, call_digest="ab"),
    ApprovalExpired(tool="shell", reason="no", waited=1.5, verdict=VERDICT, call_digest="ab"),
    NoApprover(tool="shell", reason="no", verdict=VERDICT, call_digest="ab"),
    AgentFrozen(tool="shell", reason="no", verdict=VERDICT, call_digest="ab"),
    SandboxRefused(tool="shell", reason="no", verdict=VERDICT, call_digest="ab"),
    SandboxError("what"),
    SandboxTimeout("what"),
    SandboxCrashed("what"),
    ResultTooLarge("what"),
    ResultUnsendable("what"),
    ScanRefused("what", ["finding"]),
    ScanError("what"),
    NotArmed("what"),
    ArgumentRefused("argument 'x' is too much"),
]


def test_every_class_of_the_tree_is_under_test_here() -> None:
    declared = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AgentCopError)}

    assert declared <= {type(error) for error in EVERY}


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_every_field(error: AgentCopError, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 -- what it wrote itself

    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert again.args == error.args
    assert str(again) == str(error)


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_copying_keeps_every_field(error: AgentCopError) -> None:
    assert vars(copy.copy(error)) == vars(error)
    assert vars(copy.deepcopy(error)) == vars(error)


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_the_root_catches_everything_and_an_except_exception_too(error: AgentCopError) -> None:
    assert isinstance(error, AgentCopError)
    assert isinstance(error, Exception)


def test_every_refusal_is_a_tool_blocked_and_nothing_else_is() -> None:
    refusals = {PolicyBlocked, ApprovalDenied, ApprovalExpired, NoApprover, AgentFrozen, SandboxRefused, ToolBlocked}

    assert {type(error) for error in EVERY if isinstance(error, ToolBlocked)} == refusals


def test_a_refusal_says_the_tool_the_reason_and_the_deciding_line() -> None:
    assert str(PolicyBlocked(tool="shell", reason="it is on the list", verdict=VERDICT)) == (
        "shell: it is on the list [policy.yaml:14:5]"
    )
    assert str(PolicyBlocked(tool="shell", reason="the gate failed")) == "shell: the gate failed"


def test_a_policy_block_names_its_rule_or_the_gates_own_fault() -> None:
    assert PolicyBlocked(tool="shell", reason="no", verdict=VERDICT).rule == "gate.block[1]"
    assert PolicyBlocked(tool="shell", reason="no").rule == "gate.error"


def test_a_policy_error_lists_each_problem_on_its_line() -> None:
    error = PolicyError(["one", "two"])

    assert error.problems == ("one", "two")
    assert str(error) == "one\ntwo"
