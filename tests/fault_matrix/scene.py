"""One attempt in this process: a policy file, a cop, a fault, an agent; and the trial with its control."""

from __future__ import annotations

import itertools
import json
import os
import threading
from asyncio import CancelledError
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.attempt import Bodies, Job
from tests.fault_matrix.hole import Outcome

from agentcop import AgentCop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.fault_matrix.harness import Harness, Way
    from tests.fault_matrix.hole import Variant

_numbers = itertools.count()
_HOME = "AGENTCOP_HOME"


class Scene:
    """What a fault and a tool's body may look at. Used for one attempt."""

    def __init__(self, harness: Harness, *, gated: bool, folder: Path) -> None:
        """`gated`: this is the trial, not its control."""
        self.harness = harness
        self.gated = gated
        self.folder = folder
        """The policy file stands here, beside an empty folder `data`."""
        self.bodies = Bodies()
        self.once_wrapped: list[Callable[[Iterable[Any]], None]] = []
        """Called with the agent's tool objects when the agent has been wrapped."""
        self.give_up = threading.Event()
        """Set by whoever wants the caller of a trial to cancel, where its variant has one that may."""
        self.cop: AgentCop | None = None
        self.job: Job | None = None

    @contextmanager
    def own_home(self) -> Iterator[Path]:
        """A state folder for this attempt alone, for faults that reach what a process makes once for each."""
        before = os.environ[_HOME]
        home = self.folder / "state"
        os.environ[_HOME] = str(home)
        try:
            yield home
        finally:
            os.environ[_HOME] = before

    def govern(self, agent: Any, tools: Iterable[Any]) -> Any:
        """As `Job.govern`."""
        wrapped = self.cop.wrap(agent) if self.cop is not None else agent
        for act in self.once_wrapped:
            act(tools)
        return wrapped


@contextmanager
def scene_of(harness: Harness, *, gated: bool) -> Iterator[Scene]:
    """A scene in a folder of its own, below the process's own temporary one."""
    folder = Path(mkdtemp(prefix=f"{next(_numbers)}-", dir=os.environ["TMPDIR"]))
    (folder / "data").mkdir()
    yield Scene(harness, gated=gated, folder=folder)


def cop_of(scene: Scene, gate: Mapping[str, Any], variant: Variant) -> AgentCop:
    """A cop on a policy file in the scene's folder. A tool `delegate` is how one agent asks another."""
    allowed = [*gate.get("allow", ()), "delegate"]
    document = {"agent_id": "under-attack", "gate": {**gate, "allow": allowed}, **variant.sections}
    path = scene.folder / "policy.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    # The start-up scan reads source files for a second in each forked child, and decides about no call.
    return AgentCop(policy_file=path, approver=variant.approver(scene), scan=False)


def attempted(scene: Scene, variant: Variant, way: Way) -> str:
    """Carry the variant out; what reached the caller, in words. The bodies that ran are in the scene."""
    gate = variant.gate if scene.gated else variant.permitting
    try:
        with variant.fault(scene):
            if gate is not None:
                scene.cop = cop_of(scene, gate, variant)
            turns = variant.turns(scene) if callable(variant.turns) else variant.turns
            scene.job = Job(tools=variant.tools(scene), turns=turns, govern=scene.govern, **variant.options)
            if variant.cancels:
                scene.job.give_up = scene.give_up
            way(scene.job)
    except (Exception, CancelledError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


def tried(variant: Variant, harness: Harness, way: Way) -> Outcome:
    """The trial and its control: the same attempt, once under the gate and once with nothing in the way."""
    with scene_of(harness, gated=False) as scene:
        said = attempted(scene, variant, way)
    wanted = variant.control or variant.forbidden
    if (found := sum(map(wanted, scene.bodies.ran))) < variant.at_least:
        error = f"the control proves nothing: {found} bodies ran, not {variant.at_least}; {said[:300]}"
        return Outcome(calls=0, error=error)
    with scene_of(harness, gated=True) as scene:
        said = attempted(scene, variant, way)
    ran = scene.bodies.ran
    calls = len(scene.job.calls) if scene.job is not None else 0
    if calls == 0:
        return Outcome(calls=0, error=f"nothing was attempted: {said[:300]}")
    error = "" if scene.cop is None or scene.cop.counts() else f"the gate saw no call: {said[:300]}"
    if variant.still is not None and not any(map(variant.still, ran)):
        error = f"more was stopped than had to be: {[each.tool for each in ran]} ran; {said[:300]}"
    return Outcome(calls=calls, bodies_run=max(0, sum(map(variant.forbidden, ran)) - variant.free), error=error)
