"""One agent's gate: whose policy judges, and what it counted."""

from __future__ import annotations

import logging
import weakref
from collections import Counter
from typing import TYPE_CHECKING, Literal

from opentelemetry.sdk.trace import ReadableSpan

from agentcop_core.errors import PolicyError
from agentcop_core.locks import safe_lock
from agentcop_core.verdict import DecidedBy, Verdict
from agentcop_processor.reload.telling import tell_kept, tell_replaced
from agentcop_processor.sessions import new_session
from agentcop_processor.telemetry.swallowed import Swallowed
from agentcop_processor.telemetry.wholespan import WholeSpan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from agentcop_control.approval import Approver
    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_policies import Policy
    from agentcop_processor.export.content import ContentMode
    from agentcop_processor.pipeline import Pipeline
    from agentcop_processor.reload.policy_file import PolicyFile
    from agentcop_processor.runs import Run

_log = logging.getLogger("agentcop")

Counted = Literal[
    "allowed",
    "approved",
    "denied",
    "expired",
    "held",
    "blocked",
    "observed",
    "decided_by_seam",
    "ungoverned",
    "log_failures",
    "invalid",
    "policy_replaced",
    "policy_kept",
]
"""`approved`, `denied`, `expired`: a person was asked. `held`: one should have been, and could not be.
`observed`: would have been stopped under `mode: enforce`. `decided_by_seam`: the span pipeline had no say.
`invalid`: the arguments did not fit the tool, so nothing was judged and nothing ran. `policy_replaced`: its file
changed and was taken; `policy_kept`: it changed into what is no policy."""


class Gate:
    """The policy of one agent in this process, with its pipeline and counters. Thread-safe."""

    def __init__(  # noqa: PLR0913 -- what a cop is made of
        self,
        policy: Policy,
        pipeline: Pipeline,
        *,
        monitor: bool,
        judging: bool = True,
        approver: Approver | None = None,
        policy_file: PolicyFile | None = None,
    ) -> None:
        """`policy` may be replaced later by assigning `gate.policy`; calls in flight finish on the one they read.

        `policy_file`: where it came from, and is read anew from when that changes.

        `monitor`: what happens here goes to the detector. `judging`: False for `AgentCop(gate=False)`, which watches
        without deciding. `approver`: who is asked about held calls. `session` is where calls belong that no run and
        no `cop.session` claims.
        """
        self._policy = policy
        self._policy_file = policy_file
        self.pipeline = pipeline
        self.monitor = monitor
        self.judging = judging
        self.approver = approver
        self.agent_id = policy.agent_id
        self._lock = safe_lock()
        self._counts: Counter[str] = Counter()
        self._runs: tuple[Run, ...] = ()
        self.session = new_session()
        self.guards_tools = False
        self._telemetry = Swallowed()
        pipeline.alerts.arm(policy)
        with _live.lock:
            _live.gates.add(self)
            _live.changes += 1

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._policy = policy
        with _live.lock:
            _live.changes += 1

    def policy_now(self) -> Policy:
        """The policy for a call that begins now. Looks at its file once a second; blocks to read it if it changed."""
        file = self._policy_file
        if file is not None and file.is_due():
            file.look(self._take_policy, self._keep_policy)
        return self._policy

    def policy_files(self) -> tuple[str, ...]:
        """The files that say what the policy is, by every name: no tool may be led to them."""
        files = tuple(map(str, self._policy.files))
        return files if self._policy_file is None else (self._policy_file.path, *files)

    def _take_policy(self, policy: Policy) -> None:
        """Raises PolicyError for another agent's."""
        from agentcop_policies.document.changes import changes

        old = self._policy
        if policy.agent_id != self.agent_id:
            raise PolicyError([f"{policy.source}: agent_id is {policy.agent_id!r} now; {self.agent_id!r} runs"])
        self.policy = policy
        if policy.digest != old.digest:  # else its lines moved, and it says the same
            self.count("policy_replaced")
            self.pipeline.alerts.arm(policy)
            tell_replaced(self, old, policy, changes(old.document, policy.document))

    def _keep_policy(self, problems: tuple[str, ...]) -> None:
        self.count("policy_kept")
        tell_kept(self, self._policy, problems)

    def decide(self, call: ToolCall, session: Session, decided_by: DecidedBy, policy: Policy | None = None) -> Verdict:
        """The verdict of `policy`, by default the one in force; pure, never raises (a fault inside is a block)."""
        if not self.judging:
            return Verdict(
                decision="allow",
                rule="gate.off",
                reason="the gate is switched off for this agent",
                agent_id=self.agent_id,
                digest=call.digest,
                decided_by="none",
            )
        return (policy or self.policy).decide(call, session, decided_by=decided_by)

    def log_line(self, line: Mapping[str, object], *, sync: bool = False) -> None:
        """Write a line on which no call waits. Blocks for one write; a failure is counted and said."""
        try:
            self.pipeline.log.append(line, sync=sync)
        except OSError:
            self.count("log_failures")
            _log.exception("agentcop: gate.log could not take a line")

    def keep_arguments(self, span: Span, call: ToolCall, redacted: bytes) -> None:
        """Keep a call's arguments for what goes to the detector with this span, as `monitor.content` says."""
        if self.monitor:
            mode = self._content_mode
            shown = call.arguments.canonical if mode == "full" else redacted
            with self._telemetry:
                self.pipeline.export.content.put_arguments(span.get_span_context().span_id, shown, mode=mode)

    def keep_result(self, span: Span, text: str) -> None:
        """Keep a result's text for what goes to the detector with this span; the exporter redacts it."""
        if self.monitor:
            with self._telemetry:
                content = self.pipeline.export.content
                content.put_result(span.get_span_context().span_id, text, mode=self._content_mode)

    def end_span(self, span: Span) -> None:
        """End a span of ours and hand it to the detector's export, once, whatever the application samples.

        Never raises: an exception of the application's own processors is logged.
        """
        with self._telemetry:
            span.end()
        with self._telemetry:
            ended = span.readable() if isinstance(span, WholeSpan) else span
            if self.monitor and isinstance(ended, ReadableSpan):
                self.pipeline.export.on_end(ended)

    @property
    def _content_mode(self) -> ContentMode:
        monitor = self.policy.document.monitor
        return monitor.content if monitor is not None else "redacted"

    def count(self, what: Counted) -> None:
        """Add one to a counter."""
        with self._lock:
            self._counts[what] += 1

    def take_back(self, what: Counted) -> None:
        """Take one from a counter: what was counted did not come to pass."""
        with self._lock:
            self._counts[what] -= 1

    def counts(self) -> dict[str, int]:
        """The counters so far; only those that are not zero."""
        with self._lock:
            return {what: count for what, count in self._counts.items() if count}

    def run_started(self, run: Run) -> None:
        """A run of this agent is in flight: it judges calls that lost their context (raw threads, executors)."""
        with self._lock:
            self._runs = (*self._runs, run)

    def run_ended(self, run: Run) -> None:
        """The run is over."""
        with self._lock:
            self._runs = tuple(each for each in self._runs if each is not run)

    @property
    def in_flight(self) -> bool:
        """Whether a run of this agent is in flight anywhere in the process."""
        return bool(self._runs)

    def only_run(self) -> Run | None:
        """The run that a call without context belongs to, as far as can be told: the only one in flight.

        A tool body on a raw thread has lost its run. With several in flight nobody can say whose the call is, and one
        conversation must not end another.
        """
        runs = self._runs
        return runs[0] if len(runs) == 1 else None


class _Live:
    """The gates of this process, and a number that moves with each change of gates or policies."""

    def __init__(self) -> None:
        self.gates: weakref.WeakSet[Gate] = weakref.WeakSet()
        self.lock = safe_lock()
        self.changes = 0


_live = _Live()


def live_gates() -> tuple[Gate, ...]:
    """Every gate of this process that still exists."""
    with _live.lock:
        return tuple(_live.gates)


def gate_changes() -> int:
    """Another number whenever a gate was made, or its policy replaced."""
    return _live.changes
