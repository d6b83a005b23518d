"""The shape of a policy: every key there is, its type and its default.

Plain frozen dataclasses: an agent whose policy is written in Python arms without pydantic. A YAML file is validated
against these same classes by pydantic (`agentcop_policies.reading.shape`), and the JSON Schema is generated from them.
`GatePolicy` is the `gate:` section, in YAML and in Python alike. What a document means is `agentcop_policies.policy`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 -- pydantic resolves the annotations at run time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from agentcop_core.errors import PolicyError
from agentcop_core.verdict import Decision, Mode, OnBlock  # noqa: TC001 -- as above
from agentcop_policies.document.shapes import Closed, Flag, Ordered, Pattern, Seconds, Short, Size, Text, Whole

if TYPE_CHECKING:
    # A policy of names needs none of these; `complete` brings them for pydantic.
    from agentcop_policies.document.demands import Flow, Limit, Results, Taint
    from agentcop_policies.document.sections import Case, Monitor, Sandbox, Scan

LogFailure = Literal["block", "allow"]
"""What a gate.log that cannot be written means: `block` refuses the call, `allow` runs it unlogged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Closed):
    """One entry of `allow`, `require_approval` or `block`; written as its tool alone if it has no condition."""

    tool: Pattern
    """The tool this rule is about: an exact name, or a glob where `*`, `?` or `[` is written."""
    when: Annotated[str, Text()] | None = None
    """A CEL condition over `args`, `tool`, `agent_id`, `environment`, `principal`, `session` and `now`."""
    resolve: Annotated[bool, Flag()] = False
    """Pass the resolved path or the pinned address on to the tool instead of the text that was judged."""


Rules = Annotated[tuple[Annotated[Rule, Short(key="tool")], ...], Ordered()]


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class GatePolicy(Closed):
    """What each tool call gets: the `gate:` section of a policy, in YAML and in Python alike.

    Precedence: block, then require_approval, then allow, then `default`. Raises PolicyError with every problem.
    """

    default: Decision = "block"
    """What a tool on no list gets. Must be written when only `block` is."""
    strict: Annotated[bool, Flag()] = False
    """Refuse a call whose span did not pass our span processor."""
    log_failure: LogFailure = "block"
    """What a gate.log that cannot be written means."""
    max_argument: Annotated[int, Size()] = 1_048_576
    """How long the canonical arguments of one call may be."""
    max_refusals: Annotated[int, Whole(least=1)] = 5
    """How many refusals a run may collect before it is halted."""
    allow: Rules = ()
    """Calls that run."""
    require_approval: Rules = ()
    """Calls that run only if a person says yes."""
    block: Rules = ()
    """Calls that never run."""
    on_block: OnBlock = "raise_and_alert"
    """How loud a refusal is, never whether: every value refuses."""
    flows: tuple[Flow, ...] = ()
    """Orders of calls within a session that are held or refused."""
    limits: tuple[Limit, ...] = ()
    """Budgets."""
    taint: Taint | None = None
    """Which untrusted output must not steer which tools."""
    results: Results | None = None
    """What happens to a tool's result before the model sees it."""

    def __init__(  # noqa: PLR0913 -- one parameter a key of the section, all by keyword
        self,
        *,
        allow: Sequence[str | Mapping[str, object] | Rule] = (),
        require_approval: Sequence[str | Mapping[str, object] | Rule] = (),
        block: Sequence[str | Mapping[str, object] | Rule] = (),
        default: Decision | None = None,
        on_block: OnBlock = "raise_and_alert",
        strict: bool = False,
        log_failure: LogFailure = "block",
        max_argument: int | str = 1_048_576,
        max_refusals: int = 5,
        flows: Sequence[Flow | Mapping[str, object]] = (),
        limits: Sequence[Limit | Mapping[str, object]] = (),
        taint: Taint | Mapping[str, object] | None = None,
        results: Results | Mapping[str, object] | None = None,
        **unknown: object,
    ) -> None:
        """Checked as the YAML is; an unknown key, a wrong type and a lone `block` are errors."""
        given: dict[str, object] = {
            "allow": allow,
            "require_approval": require_approval,
            "block": block,
            "on_block": on_block,
            "strict": strict,
            "log_failure": log_failure,
            "max_argument": max_argument,
            "max_refusals": max_refusals,
            "flows": flows,
            "limits": limits,
            **unknown,
        }
        written = {"default": default, "taint": taint, "results": results}
        given.update({key: value for key, value in written.items() if value is not None})
        if lone_block(given):
            raise PolicyError([f"GatePolicy: {LONE_BLOCK}"])
        if not _names_only(given):
            # Imported when needed: this is the road to pydantic.
            from agentcop_policies.reading.shape import shaped_gate

            given = shaped_gate(given)
        for key, standard in _STANDARD.items():
            value = given.get(key, standard)
            if key in _LISTS:
                value = tuple(Rule(tool=rule) if isinstance(rule, str) else rule for rule in value)  # type: ignore[attr-defined]  # checked above
            object.__setattr__(self, key, value)


LONE_BLOCK = (
    "only `block` is given: say what every other tool gets, "
    "`default: allow` (block these alone) or `default: block` (refuse the rest as well)"
)

_LISTS = ("allow", "require_approval", "block")

_STANDARD: Mapping[str, object] = {
    "default": "block",
    "strict": False,
    "log_failure": "block",
    "max_argument": 1_048_576,
    "max_refusals": 5,
    "allow": (),
    "require_approval": (),
    "block": (),
    "on_block": "raise_and_alert",
    "flows": (),
    "limits": (),
    "taint": None,
    "results": None,
}


def lone_block(gate: Mapping[str, object]) -> bool:
    """Whether a gate, as written, blocks some tools and does not say what the others get."""
    return bool(gate.get("block")) and not any(gate.get(key) for key in ("allow", "require_approval", "default"))


def _names_only(given: Mapping[str, object]) -> bool:
    """Whether a gate is nothing but lists of names, and all else its default: then nothing is left to check."""
    for key, value in given.items():
        if key in _LISTS:
            if not isinstance(value, (list, tuple)) or not all(type(name) is str and name for name in value):
                return False
        elif key not in _STANDARD or type(value) is not type(_STANDARD[key]) or value != _STANDARD[key]:
            return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals(Closed):
    """How a person is asked."""

    timeout: Annotated[float, Seconds()] = 900.0
    """How long to wait for an answer."""
    required: Annotated[int, Whole(least=1)] = 1
    """How many must agree."""
    approvers: tuple[Annotated[str, Text()], ...] = ()
    """Who may answer; none written: whoever the service lets in."""
    local: Annotated[bool, Flag()] = False
    """Ask on this process's terminal."""


_APPROVALS = Approvals()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument(Closed):
    """A whole policy, as one file or several say it."""

    extends: Annotated[str, Text()] | None = None
    """A file, or `pack:NAME`, that this one is laid over: lists add, block wins. None once it is merged."""
    agent_id: Annotated[str, Text()]
    """The agent this policy is for."""
    version: str = ""
    """The author's; shown on every verdict."""
    environment: str = ""
    """Free text for conditions; `production` switches some refusals on."""
    mode: Mode = "enforce"
    """`observe` judges and logs, and lets the tool run."""
    scan: Scan | None = None
    """What the start-up scan demands."""
    monitor: Monitor | None = None
    """What is watched, and who is told."""
    gate: GatePolicy
    """What each tool call gets."""
    approvals: Approvals = _APPROVALS
    """How a person is asked."""
    sandbox: Sandbox | None = None
    """The box that tools run in."""
    tests: tuple[Case, ...] = ()
    """Calls with the verdict and the rule they must get: `agentcop policy test`."""


def complete() -> None:
    """Import the sections that annotations name: before pydantic, or `typing.get_type_hints`, reads these classes."""
    from agentcop_policies.document import demands, sections

    globals().update(
        Flow=demands.Flow,
        Limit=demands.Limit,
        Results=demands.Results,
        Taint=demands.Taint,
        Case=sections.Case,
        Monitor=sections.Monitor,
        Sandbox=sections.Sandbox,
        Scan=sections.Scan,
    )
