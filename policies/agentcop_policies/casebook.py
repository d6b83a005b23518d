"""A policy's own `tests:`: each asserts the verdict and, where it says so, the rule that gave it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_core.canonical import digest, freeze
from agentcop_core.errors import AgentCopError
from agentcop_core.names import canonical_name
from agentcop_core.session import Session
from agentcop_core.toolcall import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_core.verdict import Decision
    from agentcop_policies.document.sections import Case
    from agentcop_policies.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What one test gave."""

    index: int
    case: Case
    at: str
    """`file:line:col` of the test."""
    decision: Decision | None
    """The verdict it got; None if the call could not be made."""
    rule: str
    """The rule that gave it."""
    reason: str
    """Why, in one sentence."""

    @property
    def passed(self) -> bool:
        """Whether verdict and rule are as expected."""
        return self.decision == self.case.expect and self.case.because in (None, self.rule)

    def __str__(self) -> str:
        """One line: the call, and what is wrong with it if anything is."""
        line = f"tests[{self.index}] {self.case.call.tool}: {self.case.expect}"
        if self.case.because:
            line += f" because of {self.case.because}"
        if self.passed:
            return line
        return f"{line}, but got {self.decision or 'no verdict'} from {self.rule or 'nothing'} ({self.reason})"


def run_cases(policy: Policy, *, now: float | None = None) -> tuple[CaseResult, ...]:
    """Run every test of `policy`, each in a session of its own; no tool is called.

    Relative paths in a test start at the policy's folder: this changes the process's working directory while it runs,
    so it is for a command or a test, not for a process with other threads.
    """
    moment = time.time() if now is None else now
    with contextlib.chdir(policy.folder):
        return tuple(_run(policy, index, case, moment) for index, case in enumerate(policy.document.tests))


def make_call(tool: str, arguments: Mapping[str, object], *, agent_id: str, now: float) -> ToolCall:
    """A call as a seam would make it. Raises AgentCopError for arguments that no seam would take."""
    name = canonical_name(tool)
    frozen = freeze(arguments)
    return ToolCall(tool=name, arguments=frozen, digest=digest(name, frozen), agent_id=agent_id, at=now)


def _run(policy: Policy, index: int, case: Case, now: float) -> CaseResult:
    at = policy.at(f"tests[{index}]")
    try:
        call = make_call(case.call.tool, case.call.args, agent_id=policy.agent_id, now=now)
    except AgentCopError as error:
        return CaseResult(index=index, case=case, at=at, decision=None, rule="", reason=str(error))
    verdict = policy.decide(call, Session("policy-test", user=case.call.user))
    return CaseResult(
        index=index, case=case, at=at, decision=verdict.decision, rule=verdict.rule, reason=verdict.reason
    )
