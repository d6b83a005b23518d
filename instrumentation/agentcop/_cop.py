"""The face: one object that puts an agent behind a policy."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar, cast, overload

from agentcop._options import check_approver, chosen_policy, local_approval_warnings, unsandboxed_warnings
from agentcop._startup.scan import StartupScan
from agentcop._wrap import guard_tool, wrap
from agentcop.adapters import open_scopes
from agentcop_core.home import state_folder
from agentcop_processor.gate import Gate
from agentcop_processor.pipeline import pipeline_for
from agentcop_processor.sessions import in_session, new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from agentcop_control.approval import Approver
    from agentcop_core.session import Session
    from agentcop_policies import GatePolicy, Policy
    from agentcop_policies.document.sections import SandboxMode

_log = logging.getLogger("agentcop")
_T = TypeVar("_T")


class AgentCop:
    """Puts an agent's tool calls behind a policy, logs each, and emits a span for every step.

    Thread-safe. Several cops may live in one process, each with its own agents and policy.
    """

    def __init__(  # noqa: PLR0913 -- the guide's keywords
        self,
        agent_id: str | None = None,
        *,
        policy: GatePolicy | None = None,
        policy_file: str | Path | None = None,
        scan: bool | None = None,
        monitor: bool | None = None,
        gate: bool | None = None,
        sandbox_mode: SandboxMode | None = None,
        approver: Approver | None = None,
    ) -> None:
        """One of `policy` (written in Python) and `policy_file` (YAML); `agent_id` must agree with the file's.

        A policy file that changes is read anew: a valid one holds from the next call on, else the last good one stays.

        `scan`, `monitor` and `gate` are on when a policy is given. The scan looks at the file that makes the cop, and
        at those of agents and tools as they come, against the policy's `scan:` section; without one no CRITICAL finding
        may remain. `sandbox_mode` against the file's: the stricter
        holds. `approver(call, deadline)` is asked about each call that needs approval and returns `Approve()` or
        `Deny(message)`; it may be a coroutine function, and is heard until `approvals.timeout` is over. A sync one runs
        in a thread of its own, and so does an async one, in an event loop of its own, if the tool is sync. Without
        one, `approvals.local: true` asks on /dev/tty. Reads the policy and creates the state folder; no network.
        Raises PolicyError with every problem, ScanRefused with the findings, TypeError for a wrong type, OSError where
        the state folder cannot be written.
        """
        loaded, judging, file = chosen_policy(
            agent_id=agent_id,
            policy=policy,
            policy_file=policy_file,
            switches={"scan": scan, "monitor": monitor, "gate": gate},
            sandbox_mode=sandbox_mode,
        )
        check_approver(approver)
        warnings = (*local_approval_warnings(loaded, approver), *unsandboxed_warnings(loaded, judging=judging))
        for warning in (*loaded.warnings, *warnings):
            _log.warning("agentcop: %s", warning)
        home = state_folder()
        given = policy is not None or policy_file is not None
        self._scan = StartupScan(home, asked=scan is True) if scan or (scan is None and given) else None
        if self._scan is not None:
            self._scan.caller(loaded)
        self._gate = Gate(
            loaded,
            pipeline_for(home),
            monitor=monitor is not False,
            judging=judging,
            approver=approver,
            policy_file=file,
        )
        open_scopes()

    @property
    def agent_id(self) -> str:
        """The agent that this cop answers for."""
        return self._gate.agent_id

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._gate.policy

    @property
    def gate_log(self) -> Path:
        """The file in which every decision of this process stands: read it with `agentcop gate log`."""
        return self._gate.pipeline.home / "gate.log"

    def wrap(self, agent: _T, *, tools: Sequence[str] = ()) -> _T:
        """Put the tools of `agent` behind the gate and return the same object, its class and identity unchanged.

        A dict or list of callables is guarded in place; so are those that an agent object holds, and its methods
        named in `tools`. A framework's agents and tools are governed as they are, where they are held too. Wrap an
        agent once it has its tools: one that is added later is not seen. A plain function cannot be changed in place:
        use the one that is returned. Raises ScanRefused, before anything is guarded, if the scan finds in its code or
        its tools' what the policy forbids; NotArmed if no tool was found, or if the object belongs to a framework
        that this build has no adapter for.
        """
        if self._scan is not None:
            self._scan.objects(self.policy, agent)
        return wrap(agent, self._gate, tools)

    @overload
    def tool(self, tool: None = None, *, name: str = "", live: Collection[str] = ()) -> Callable[[_T], _T]: ...

    @overload
    def tool(self, tool: _T, *, name: str = "", live: Collection[str] = ()) -> _T: ...

    def tool(self, tool: _T | None = None, *, name: str = "", live: Collection[str] = ()) -> _T | Callable[[_T], _T]:
        """Put one function or tool object behind the gate, under `name` if given; also a decorator.

        `@cop.tool`, `@cop.tool(name="refund")`, on functions and on methods in a class body. Arguments are copied
        before they are judged, and the copy is what runs. A parameter that the tool must share with its caller (a
        store it changes, a connection) is named in `live`: it is passed as it is, a condition that reads it blocks.
        """
        if tool is None:
            return lambda decorated: self.tool(decorated, name=name, live=live)
        if self._scan is not None:
            self._scan.objects(self.policy, tool)
        return cast("_T", guard_tool(tool, self._gate, name, live))

    def session(self, id: str = "", user: str = "") -> AbstractContextManager[Session]:  # noqa: A002 -- the guide's name
        """Calls in this block belong to the conversation `id` (a new one if empty) with the principal `user`.

        Raises TypeError for an id or user that is no str: 42 in the log would not be found as "42".
        """
        given: tuple[tuple[str, object], ...] = (("id", id), ("user", user))
        for name, value in given:
            if not isinstance(value, str):
                message = f"session: {name} must be a str, not {type(value).__name__}"
                raise TypeError(message)
        return in_session(self._gate.pipeline.sessions.get(id, user) if id else new_session(user))

    def counts(self) -> dict[str, int]:
        """How many calls were allowed, held, blocked …; only what is not zero."""
        return self._gate.counts()

    def flush(self) -> None:
        """Send or spool every span that has ended; blocks for at most two seconds each way."""
        self._gate.pipeline.spans.flush()
        self._gate.pipeline.export.force_flush()
