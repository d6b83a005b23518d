"""Drive every task of an AgentDojo suite through the gate, by the calls that the benchmark itself says solve it.

No model takes part. AgentDojo gives each user task and each injection task a ground truth: the calls of an agent that
does what the user, or the attacker, wants. Each is made in order through AgentDojo's own runtime, with each tool's
function guarded by the cop and otherwise as it is. A call that is refused does not stop the ones after it.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from agentdojo.functions_runtime import FunctionsRuntime, ToolNotFoundError
from agentdojo.task_suite.load_suites import get_suite
from pydantic import ValidationError

from agentcop import NoApprover, ToolBlocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentdojo.base_tasks import BaseInjectionTask, BaseUserTask
    from agentdojo.functions_runtime import Function, FunctionCall, TaskEnvironment

    from agentcop import AgentCop

BENCHMARK: Final = "v1.2.2"
"""The benchmark's version, frozen by its authors: the same tasks on every machine."""

Side = Literal["user", "attacker"]
"""`user`: a task the user gave. `attacker`: an injection task, which text that the agent reads tries to give it."""

Outcome = Literal["allowed", "held", "blocked"]
"""`allowed`: the tool's body ran. `held`: a person must decide, and none was there. `blocked`: a rule refused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """One ground-truth call after it went through the gate."""

    tool: str
    outcome: Outcome
    rule: str = ""
    """The rule that held or blocked it, as `gate.block[1]`; "" for an allowed call."""
    at: str = ""
    """The rule's place, as `policy.yaml:14:5`; "" for an allowed call."""
    changed: bool = False
    """Whether anything in the task's environment differs afterwards: mail sent, money moved, a file written."""
    error: str = ""
    """What an allowed tool's own body raised, such as a file that an earlier, refused call did not create."""
    answered: float = 0.0
    """When the call was over, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task after its replay."""

    task: str
    side: Side
    calls: tuple[CallResult, ...]
    """Empty where the benchmark gives no ground truth: nothing was replayed, so nothing was stopped either."""
    goal_reached: bool
    """AgentDojo's own check, on the environment the replay left: is the user served, has the attacker won?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """Every task of one suite, user tasks first."""

    suite: str
    tasks: tuple[TaskResult, ...]

    def of(self, side: Side) -> tuple[TaskResult, ...]:
        """The tasks of one side."""
        return tuple(task for task in self.tasks if task.side == side)

    def calls(self, side: Side) -> Iterator[tuple[str, CallResult]]:
        """Each call of one side with its task's name, in the order they were made."""
        return ((task.task, call) for task in self.of(side) for call in task.calls)


class GroundTruthAgent:
    """An agent without a model: it makes the calls it was given. `run` is what the cop wraps."""

    def __init__(
        self,
        runtime: FunctionsRuntime,
        environment: TaskEnvironment,
        calls: Sequence[FunctionCall],
        clock: Callable[[], float],
    ) -> None:
        """`runtime` holds guarded tools; `environment` is changed by the calls."""
        self._runtime = runtime
        self._environment = environment
        self._calls = calls
        self._clock = clock
        self.results: list[CallResult] = []

    def run(self, prompt: str) -> str:
        """Make every call, in order; what became of each stands in `results`."""
        for call in self._calls:
            self.results.append(self._make(call))
        return f"{len(self.results)} calls made for: {prompt}"

    def _make(self, call: FunctionCall) -> CallResult:
        before = self._environment.model_copy(deep=True)
        outcome: Outcome = "allowed"
        rule = at = error = ""
        try:
            self._runtime.run_function(self._environment, call.function, call.args, raise_on_error=True)
        except ToolBlocked as refusal:
            outcome = "held" if isinstance(refusal, NoApprover) else "blocked"
            if refusal.verdict is not None:
                rule, at = refusal.verdict.rule, refusal.verdict.at
        except (ValidationError, ToolNotFoundError):
            raise  # the call never reached the gate: there is nothing honest to count it as
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        return CallResult(
            tool=call.function,
            outcome=outcome,
            rule=rule,
            at=at,
            changed=self._environment != before,
            error=error,
            answered=self._clock(),
        )


class SuiteReplay:
    """One suite with its tools guarded by one cop. Loading it reads AgentDojo's data files."""

    def __init__(self, name: str, cop: AgentCop, *, clock: Callable[[], float] = time.time) -> None:
        """`name`: a suite of AgentDojo; `cop` holds the policy that judges its calls."""
        self._name = name
        self._cop = cop
        self._clock = clock
        self._suite = get_suite(BENCHMARK, name)
        self._fresh = self._suite.load_and_inject_default_environment({})
        self._runtime = FunctionsRuntime([_guarded(tool, cop) for tool in self._suite.tools])

    def run(self) -> SuiteResult:
        """Replay every task, each in a fresh environment, a session and an agent run of its own."""
        user = [
            self._replay(task, "user", task.PROMPT, task.init_environment(self._environment()))
            for task in self._suite.user_tasks.values()
        ]
        attacker = [
            self._replay(task, "attacker", task.GOAL, self._environment())
            for task in self._suite.injection_tasks.values()
        ]
        return SuiteResult(suite=self._name, tasks=(*user, *attacker))

    def _environment(self) -> TaskEnvironment:
        return self._fresh.model_copy(deep=True)

    def _replay(
        self, task: BaseUserTask | BaseInjectionTask, side: Side, prompt: str, environment: TaskEnvironment
    ) -> TaskResult:
        before = environment.model_copy(deep=True)
        calls = task.ground_truth(environment)
        agent = GroundTruthAgent(self._runtime, environment, calls, self._clock)
        self._cop.wrap(agent)
        # The entry point raises if any call of its run was refused; `results` has each refusal already.
        with self._cop.session(id=f"{self._name}/{task.ID}"), contextlib.suppress(ToolBlocked):
            agent.run(prompt)
        ran = [call for call, result in zip(calls, agent.results, strict=True) if result.outcome == "allowed"]
        check = task.utility if side == "user" else task.security
        check_calls = task.utility_from_traces if side == "user" else task.security_from_traces
        reached = check_calls(task.GROUND_TRUTH_OUTPUT, before, environment, ran)
        if reached is None:
            reached = check(task.GROUND_TRUTH_OUTPUT, before, environment)
        return TaskResult(task=task.ID, side=side, calls=tuple(agent.results), goal_reached=bool(reached))


def _guarded(tool: Function, cop: AgentCop) -> Function:
    """`tool` with its function behind the gate, which changes the environment itself, not a copy of it."""
    return tool.model_copy(update={"run": cop.tool(tool.run, name=tool.name, live=tool.dependencies)})
