"""The `when:` of a rule: a CEL expression about one call, compiled at load, evaluated at every verdict.

In an expression stand `args`, `tool`, `agent_id`, `environment`, `principal`, `session` (`calls`, `refused`, `held`,
`calls_by_tool`) and `now`, and the helpers `path.within`, `url.host_in` and `shell.only`. An expression that cannot be
evaluated has no answer, neither true nor false: it is a `Failure`, and whoever asked must not let it help the caller.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from agentcop_core.session import Session
from agentcop_core.toolcall import Arguments, ToolCall
from agentcop_policies.when import functions
from agentcop_policies.when.cannot import CannotJudgeError
from agentcop_policies.when.errors import HELPER_FORMS, compile_message, evaluation_reason
from agentcop_policies.when.readable import readable
from agentcop_policies.when.tree import Reads, reads

if TYPE_CHECKING:
    from pathlib import Path

    from cel_expr_python import cel

VARIABLES = ("args", "tool", "agent_id", "environment", "principal", "session", "now")
"""What an expression can read."""

SESSION_MEMBERS = ("calls", "refused", "held", "calls_by_tool")
"""What `session` has. A tool named outright, as in `session.calls_by_tool.refund`, counts 0 before its first call."""

_NAMES = ("tool", "agent_id", "environment", "principal")
_MAX_TEXT = 4_096


class ConditionError(ValueError):
    """An expression that cannot be a condition. The message is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A condition that could not be evaluated."""

    reason: str
    """One phrase; holds no argument values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One compiled expression. Immutable; any number of threads may evaluate it at once."""

    text: str
    arguments: frozenset[str] | None
    """Top-level arguments that it reads; None if it uses `args` as a whole."""
    uses_session: bool
    _expression: cel.Expression
    _error: cel.Type
    _variables: frozenset[str]
    _names: tuple[str, ...]
    _session_members: frozenset[str]
    _counted: frozenset[str]

    def evaluate(
        self, call: ToolCall, session: Session, *, environment: str = "", agent_id: str = "", principal: str = ""
    ) -> bool | Failure:
        """The answer for one call. Never raises; blocks only where a helper looks at the file system.

        Only the arguments that the expression reads are looked at, and no more than 64 KiB of them. Whatever they are,
        it ends: loops after 10,000 steps, patterns (RE2) in linear time, helpers after a second, each as a `Failure`.
        """
        try:
            data: dict[str, object] = {}
            if "args" in self._variables:
                data["args"] = self._read(call.arguments)
            if self.uses_session:
                data["session"] = self._count(session)
            if "now" in self._variables:
                data["now"] = datetime.fromtimestamp(call.at, UTC)
            if self._names:
                data.update(tool=call.tool, agent_id=agent_id, environment=environment, principal=principal)
            functions.start_clock()
            result = self._expression.eval(data=data)
            value = result.value()
            if value is True or value is False:
                return value is True
            if result.type() != self._error:
                return Failure(reason="it gives something other than true or false")
            missing = [name for name in sorted(self.arguments or ()) if _plainly(name) not in call.arguments.plain]
            return Failure(reason=evaluation_reason(value, missing))
        except CannotJudgeError as fault:
            return Failure(reason=str(fault))
        except Exception as fault:
            return Failure(reason=evaluation_reason(str(fault)))

    def _read(self, given: Arguments) -> dict[str, object]:
        wanted, plain = self.arguments, given.plain
        if wanted is None:
            if given.opaque:
                raise CannotJudgeError("it reads a live object")
            return readable(dict(plain))
        if given.opaque and not wanted.isdisjoint(given.opaque):
            raise CannotJudgeError("it reads a live object")
        return readable({name: plain[name] for name in map(_plainly, wanted) if name in plain})

    def _count(self, session: Session) -> dict[str, object]:
        counters = session.counters()
        by_tool = counters["calls_by_tool"]
        if self._counted and isinstance(by_tool, dict):
            counters["calls_by_tool"] = dict.fromkeys(self._counted, 0) | by_tool
        return {name: counters[name] for name in self._session_members}


def _plainly(name: str) -> str:
    """An argument's name as the plain form has it."""
    return "$" + name if name[:1] == "$" else name


@lru_cache(maxsize=1_024)
def compile_condition(text: str, *, folder: Path) -> Condition:
    """Compile one expression; `folder` is the policy file's, for relative folders in `path.within`.

    Raises ConditionError: syntax, unknown names and members, wrong types, literals of helpers that make no sense,
    expressions that are not true or false, and those that read nothing and are never true.
    """
    if not text.strip():
        raise ConditionError("the condition is empty")
    if len(text) > _MAX_TEXT:
        raise ConditionError("the condition is longer than 4,096 characters")
    env, types = _environment(folder)
    try:
        expression = env.compile(text)
    except RuntimeError as fault:
        raise ConditionError(compile_message(str(fault), text, (*VARIABLES, *HELPER_FORMS))) from fault
    kind = expression.return_type()
    if kind not in (types.BOOL, types.DYN):
        raise ConditionError(f"the condition gives {kind.name()}, not true or false: compare it with something")
    found = _reads(expression)
    _check_session(found)
    for function, literals in found.calls:
        problem = functions.problem(function, literals)
        if problem:
            raise ConditionError(problem)
    whole = "args" in found.whole
    condition = Condition(
        text=text,
        arguments=None if whole else frozenset(found.members.get("args", ())),
        uses_session="session" in found.variables,
        _expression=expression,
        _error=types.ERROR,
        _variables=frozenset(found.variables),
        _names=tuple(found.variables.intersection(_NAMES)),
        _session_members=frozenset(found.members.get("session", ())),
        _counted=frozenset(found.counted),
    )
    if not found.variables & set(VARIABLES) and condition.evaluate(_no_call(), Session("")) is not True:
        raise ConditionError("the condition reads nothing of the call and is never true")
    return condition


@lru_cache(maxsize=8)
def _environment(folder: Path) -> tuple[cel.Env, type[cel.Type]]:
    from cel_expr_python import cel

    kind = cel.Type
    text = dict.fromkeys(_NAMES, kind.STRING)
    table = kind.Map(kind.STRING, kind.DYN)
    env = cel.NewEnv(
        variables={"args": table, "session": table, "now": kind.TIMESTAMP, **text},
        functions=functions.declarations(folder),
    )
    return env, kind


def _reads(expression: cel.Expression) -> Reads:
    try:
        return reads(expression.serialize())
    except ValueError:
        every = set(VARIABLES)
        return Reads(variables=every, whole={"args"}, members={"session": set(SESSION_MEMBERS)})


def _check_session(found: Reads) -> None:
    if "session" in found.whole:
        raise ConditionError(f"`session` alone is no value: use session.{', session.'.join(SESSION_MEMBERS)}")
    for member in sorted(found.members.get("session", ())):
        if member not in SESSION_MEMBERS:
            close = difflib.get_close_matches(member, SESSION_MEMBERS, n=1)
            hint = f'; did you mean "session.{close[0]}"?' if close else ""
            raise ConditionError(f'unknown name "session.{member}"{hint}')


def _no_call() -> ToolCall:
    return ToolCall(tool="", arguments=Arguments(values={}, plain={}, canonical=b"{}"), digest="")
