"""Boxes, tried: started, asked what they are, given one call. What `agentcop sandbox check` and `doctor` go by."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from agentcop_processor.sandbox.boxes.outlets import Outlets
from agentcop_processor.sandbox.boxes.pool import Kind
from agentcop_processor.sandbox.boxes.probe import readings
from agentcop_processor.sandbox.boxes.runner import prepare, started
from agentcop_processor.sandbox.bubblewrap.limits import weaker
from agentcop_processor.sandbox.engine import EngineDown, LinkLost
from agentcop_processor.sandbox.parcel import Parcel

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.sandbox.boxes.conversation import Box
    from agentcop_processor.sandbox.boxes.probe import Reading
    from agentcop_processor.sandbox.containers.container import ContainerEngine
    from agentcop_processor.sandbox.engine import Engine
    from agentcop_processor.sandbox.settings import Settings

_TOOL: Final = Parcel(module="operator", name="add")
_ARGUMENTS: Final = b'{"args": [2, 3], "kwargs": {}}'
_ANSWER: Final = 5
_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one box."""

    engine: str
    """`docker`, `podman` or `process`; `container` where no engine answers at all."""
    facts: tuple[Reading, ...]
    """What it says of itself, against what must be so; none where it did not open."""
    why: str
    """Why it does not hold, a sentence; "" where it does. May quote the box: escape it before it is shown."""
    ms: float = 0.0
    """How long the call took in the box."""
    lines: tuple[str, ...] = ()
    """`why` for a terminal: what happened, each way out of it, and what was tried; () where that is one sentence."""
    weaker: tuple[str, ...] = ()
    """Where it holds less than a container would, a phrase each; () for a container."""
    image: str = ""
    """The id of the image; "" where there is none, or it cannot be told."""
    wrong: bool = False
    """Whether the engine gave something else than was asked for, for which no `fallback` stands in."""

    @property
    def holds(self) -> bool:
        """Whether tools may run in such a box."""
        return not self.why


def try_mode(mode: Literal["container", "process"], settings: Settings, home: Path) -> tuple[Trial, ...]:
    """A box of every engine of this mode that answers; of none, one trial that says what to install.

    The order is that in which calls would use them. Blocks up to a minute an engine; never raises for what is wrong.
    """
    settings = replace(settings, mode=mode)
    try:
        if mode == "process":
            from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine

            return (try_engine(ProcessEngine(), settings, home),)
        from agentcop_processor.sandbox.containers.found import found

        trials = ((engine, try_engine(engine, settings, home)) for engine in found(os.environ))
        return tuple(replace(trial, image=_image(engine, settings)) for engine, trial in trials)
    except EngineDown as down:
        return (Trial(engine=mode, facts=(), why=str(down), lines=down.lines),)


def try_engine(engine: Engine, settings: Settings, home: Path) -> Trial:
    """Start one box as `settings` want it, and kill it. Never raises for what is wrong; blocks up to a minute.

    `home`: the state folder, where an egress proxy has its socket.
    """
    outlets = Outlets(home)
    try:
        mounts = outlets.mounts(settings, _TOOL)
        box = started(engine, Kind(settings=settings, mounts=mounts, way_out=outlets.way_out(settings)))
        try:
            return _tried(engine, box, settings)
        finally:
            box.close()
    except EngineDown as down:
        return Trial(engine=engine.name, facts=(), why=str(down), lines=down.lines, wrong=down.wrong)
    except LinkLost as lost:
        return Trial(engine=engine.name, facts=(), why=str(lost))
    except Exception as error:  # whoever asks wants to hear of all engines
        return Trial(engine=engine.name, facts=(), why=f"no box could be tried: {type(error).__name__}: {error}")
    finally:
        outlets.close()


def _tried(engine: Engine, box: Box, settings: Settings) -> Trial:
    facts = readings(box.facts, engine.expected(settings))
    less = tuple(weaker(settings, box.facts)) if engine.name == "process" else ()
    if missed := [each.miss for each in facts if each.miss]:
        return Trial(engine=engine.name, facts=facts, why="; ".join(missed), weaker=less, wrong=True)
    prepare(box, replace(settings, env=()), _TOOL)
    reply = box.call(_ARGUMENTS, min(settings.timeout, _SECONDS))
    why = "" if _answers(reply.result) else f"a call of 2 + 3 did not come back as 5: {reply.status}"
    return Trial(engine=engine.name, facts=facts, why=why, ms=reply.ms, weaker=less)


def _image(engine: ContainerEngine, settings: Settings) -> str:
    try:
        return engine.image_id(settings.image)
    except EngineDown:
        return ""  # the trial says why


def _answers(result: bytes) -> bool:
    try:
        answer = json.loads(result)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("value") == _ANSWER
