"""Every error AgentCop raises.

AgentCopError
├─ PolicyError          a policy that cannot be loaded: all its problems at once
├─ ToolBlocked          a tool call that was refused: .tool .reason .verdict .call_digest
│  ├─ PolicyBlocked     a rule said no: .rule
│  ├─ ApprovalDenied    a person said no: .by .message
│  ├─ ApprovalExpired   nobody answered in time: .waited
│  ├─ NoApprover        a person must decide, and no answer can be had
│  ├─ AgentFrozen       the agent is stopped
│  └─ SandboxRefused    the sandbox the policy demands cannot be given
├─ SandboxError         the tool ran in its box and failed there
│  ├─ SandboxTimeout    it took longer than sandbox.timeout, and was killed
│  ├─ SandboxCrashed    it ended without a result: killed, out of memory, its box gone
│  ├─ ResultTooLarge    its result is longer than sandbox.max_result
│  └─ ResultUnsendable  its result is no plain data
├─ ScanRefused          the start-up scan found what the policy forbids: .findings
├─ ScanError            a file or folder could not be scanned
└─ NotArmed             a seam is missing or its self-test failed: refuse to start

All derive from `Exception`: two agent frameworks hang or loop on a `BaseException`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentcop_core.verdict import Verdict


class AgentCopError(Exception):
    """Root of the tree: catch it to catch everything AgentCop raises."""


class PolicyError(AgentCopError):
    """A policy that cannot be loaded.

    `problems` holds one line a problem, `file:line:col what; did you mean …?`, in file order; never empty.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """`problems`: at least one line, each complete in itself."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the problems, not by the joined text."""
        return (type(self), (self.problems,))


class ToolBlocked(AgentCopError):  # noqa: N818 -- the guide's name
    """A tool call that was refused; the tool's body did not run.

    `tool` is the canonical name, `reason` one sentence, `verdict` what was decided (None if the gate failed before
    one), `call_digest` the SHA-256 of the call that was judged ("" if it could not be computed).
    """

    def __init__(self, *, tool: str, reason: str, verdict: Verdict | None = None, call_digest: str = "") -> None:
        """Keyword-only; the message is the reason with the tool's name and the deciding policy line."""
        self.tool = tool
        self.reason = reason
        self.verdict = verdict
        self.call_digest = call_digest
        where = f" [{verdict.at}]" if verdict is not None and verdict.at else ""
        super().__init__(f"{tool}: {reason}{where}")

    def _fields(self) -> Mapping[str, object]:
        return {
            "tool": self.tool,
            "reason": self.reason,
            "verdict": self.verdict,
            "call_digest": self.call_digest,
        }

    def __reduce__(self) -> tuple[object, ...]:
        """Cross process boundaries (multiprocessing, executors) with every field."""
        return (_rebuild, (type(self), dict(self._fields())))


def _rebuild(kind: type[ToolBlocked], fields: dict[str, object]) -> ToolBlocked:
    return kind(**fields)  # type: ignore[arg-type]  # the fields come from the same class


class PolicyBlocked(ToolBlocked):
    """A rule of the policy, its default, or a fault of the gate itself (`rule == "gate.error"`) refused the call."""

    @property
    def rule(self) -> str:
        """The rule that decided, as `gate.block[1]`; "gate.error" when the gate could not judge."""
        return self.verdict.rule if self.verdict is not None else "gate.error"


class ApprovalDenied(ToolBlocked):
    """A person was asked and said no."""

    def __init__(  # noqa: PLR0913 -- a denial is the refusal and who said what
        self,
        *,
        tool: str,
        reason: str,
        by: str,
        message: str = "",
        verdict: Verdict | None = None,
        call_digest: str = "",
    ) -> None:
        """`by`: who denied; `message`: their words, possibly empty."""
        self.by = by
        self.message = message
        super().__init__(tool=tool, reason=reason, verdict=verdict, call_digest=call_digest)

    def _fields(self) -> Mapping[str, object]:
        return {**super()._fields(), "by": self.by, "message": self.message}


class ApprovalExpired(ToolBlocked):
    """A person was asked and did not answer in time: not a denial."""

    def __init__(
        self, *, tool: str, reason: str, waited: float, verdict: Verdict | None = None, call_digest: str = ""
    ) -> None:
        """`waited`: seconds until the time-out."""
        self.waited = waited
        super().__init__(tool=tool, reason=reason, verdict=verdict, call_digest=call_digest)

    def _fields(self) -> Mapping[str, object]:
        return {**super()._fields(), "waited": self.waited}


class NoApprover(ToolBlocked):
    """The policy asks for a person's approval and no answer can be had: nobody is there, or the approver failed."""


class AgentFrozen(ToolBlocked):
    """The agent was frozen by a person or by the detector."""


class SandboxRefused(ToolBlocked):
    """The policy demands a sandbox that cannot be given: the tool did not run anywhere."""


class SandboxError(AgentCopError):
    """The tool ran in its sandbox and failed there."""


class SandboxTimeout(SandboxError):  # noqa: N818 -- architecture's name
    """It took longer than the policy's `sandbox.timeout`, and was killed with all that it had started."""


class SandboxCrashed(SandboxError):  # noqa: N818 -- architecture's name
    """It ended without a result: it was killed, ran out of memory, or its box is gone."""


class ResultTooLarge(SandboxError):  # noqa: N818 -- architecture's name
    """Its result is longer than the policy's `sandbox.max_result`."""


class ResultUnsendable(SandboxError):  # noqa: N818 -- as its siblings
    """It ran to its end, and its result is no plain data that JSON can carry."""


class ScanRefused(AgentCopError):  # noqa: N818 -- architecture's name
    """The start-up scan found what the policy forbids; `findings` lists it."""

    def __init__(self, message: str, findings: Sequence[object] = ()) -> None:
        """`findings`: the findings that broke the policy's demands."""
        self.findings = tuple(findings)
        super().__init__(message)


class ScanError(AgentCopError):
    """A path is missing, nothing matched, or a file could not be read."""


class NotArmed(AgentCopError):  # noqa: N818 -- architecture's name
    """A seam is missing or its self-test failed: the process must not run as if it were protected."""
