"""The conformance suite: what must hold for every framework, whatever its shape, judged by what really ran."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agentcop._cop import AgentCop
from agentcop.testing._tools import SHAPES, Tools
from agentcop_core.errors import ToolBlocked
from agentcop_policies import GatePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop.testing._tools import Exercise, Shape

_ALLOWED, _BLOCKED = "lookup x", "wipe y"


class NonConforming(AssertionError):  # noqa: N818 -- the answer to a question, as pytest's own
    """An adapter lets something through, changes something, or counts wrongly; one line for each finding."""


def check_adapter(
    name: str, exercises: Mapping[Shape, Exercise], *, without: Mapping[Shape, str] | None = None
) -> None:
    """Run every exercise unwrapped and under off, refuse and raise; all that must hold is looked at.

    `without`: shapes that the framework does not have, each with the reason. Needs a state folder that can be written.
    Raises NonConforming with every finding; TypeError where a shape is neither exercised nor excused.
    """
    without = without or {}
    if unsaid := set(SHAPES) - exercises.keys() - without.keys():
        message = f"{name}: no exercise and no reason for: {', '.join(sorted(unsaid))}"
        raise TypeError(message)
    findings = [
        f"{name}, {shape}: {finding}"
        for shape in SHAPES
        if shape in exercises
        for finding in _check(shape, exercises[shape])
    ]
    if findings:
        raise NonConforming("\n".join(findings))


class _Trial:
    """One exercise under one cop: what came back, what ran, what was counted."""

    def __init__(self, exercise: Exercise, cop: AgentCop | None) -> None:
        self.tools = Tools()
        self.output: object = None
        self.raised: BaseException | None = None
        self.same = True
        try:
            self.output = exercise(self.tools, self._wrapper(cop))
        except Exception as error:
            self.raised = error
        self.counts = cop.counts() if cop is not None else {}

    def _wrapper(self, cop: AgentCop | None) -> Callable[[Any], Any]:
        def wrap(agent: Any) -> Any:  # noqa: ANN401 -- whatever the framework's agents are
            if cop is None:
                return agent
            looks = type(agent)
            wrapped = cop.wrap(agent)
            self.same = self.same and type(wrapped) is looks and (wrapped is agent or inspect.isroutine(agent))
            return wrapped

        return wrap

    @property
    def ran(self) -> list[str]:
        """The bodies that ran; parallel calls and batches have no order of their own."""
        return sorted(self.tools.ran)


def _check(shape: Shape, exercise: Exercise) -> list[str]:
    plain = _Trial(exercise, None)
    if plain.raised is not None or plain.ran.count(_ALLOWED) == 0 or plain.ran.count(_BLOCKED) == 0:
        return [f"the exercise itself is wrong: unwrapped it ran {plain.ran} and raised {plain.raised!r}"]
    expected = {_ALLOWED: plain.ran.count(_ALLOWED), _BLOCKED: plain.ran.count(_BLOCKED)}
    return [
        *_off(exercise, plain),
        *_refuse(shape, exercise, expected),
        *_raise(exercise),
    ]


def _off(exercise: Exercise, plain: _Trial) -> list[str]:
    """Nothing is blocked: the agent must not differ from the unwrapped one in any way that a caller can see."""
    findings = []
    for how, cop in (
        ("off", AgentCop(agent_id="conformance", policy=GatePolicy(default="allow"), gate=False)),
        ("allowed", AgentCop(agent_id="conformance", policy=GatePolicy(default="allow"))),
    ):
        trial = _Trial(exercise, cop)
        if trial.raised is not None:
            findings.append(f"{how}: it raised {trial.raised!r}")
        if trial.output != plain.output:
            findings.append(f"{how}: the output is {trial.output!r}, unwrapped {plain.output!r}")
        if trial.ran != plain.ran:
            findings.append(f"{how}: {trial.ran} ran, unwrapped {plain.ran}")
        if not trial.same:
            findings.append(f"{how}: wrap did not give the same object back")
        if trial.counts != {"allowed": len(plain.ran)}:
            findings.append(f"{how}: {plain.ran} were counted as {trial.counts}: each call is judged exactly once")
    return findings


def _refuse(shape: Shape, exercise: Exercise, expected: Mapping[str, int]) -> list[str]:
    """A quiet refusal: the rest of the run goes on, and the model is told."""
    cop = AgentCop(
        agent_id="conformance",
        policy=GatePolicy(allow=["lookup", "delegate"], block=["wipe"], on_block="return_message", max_refusals=100),
    )
    trial = _Trial(exercise, cop)
    findings = _never_ran(trial)
    # Without an agent there may be no model to tell, as for plain functions.
    if trial.raised is not None and not (shape == "direct" and isinstance(trial.raised, ToolBlocked)):
        findings.append(f"refuse: it raised {trial.raised!r}")
    if trial.ran.count(_ALLOWED) != expected[_ALLOWED]:
        findings.append(f"refuse: the allowed call ran {trial.ran.count(_ALLOWED)} times, not {expected[_ALLOWED]}")
    if trial.counts.get("blocked") != expected[_BLOCKED]:
        findings.append(f"refuse: {expected[_BLOCKED]} blocked calls were counted as {trial.counts}")
    return [f"refuse: {finding}" if not finding.startswith("refuse") else finding for finding in findings]


def _raise(exercise: Exercise) -> list[str]:
    """A loud refusal: the caller gets it, whatever an inner layer made of it."""
    policy = GatePolicy(allow=["lookup", "delegate"], block=["wipe"], on_block="raise")
    cop = AgentCop(agent_id="conformance", policy=policy)
    trial = _Trial(exercise, cop)
    findings = [f"raise: {finding}" for finding in _never_ran(trial)]
    if not isinstance(trial.raised, ToolBlocked):
        findings.append(f"raise: the caller got {trial.output!r} and {trial.raised!r}, not a ToolBlocked")
    elif trial.raised.tool != "wipe":
        findings.append(f"raise: it names {trial.raised.tool}, not wipe")
    return findings


def _never_ran(trial: _Trial) -> list[str]:
    return [f"{body} ran: it is blocked" for body in trial.ran if body.startswith("wipe")]
