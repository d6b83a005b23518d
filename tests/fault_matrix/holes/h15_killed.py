"""The process dies while a tool runs: what ran must stand in gate.log all the same."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.forked import in_a_fork
from tests.fault_matrix.hole import Hole, Outcome, Trial, Variant
from tests.fault_matrix.scene import attempted, scene_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path as File

    from tests.fault_matrix.harness import Harness, Path
    from tests.fault_matrix.scene import Scene

_ENDS: dict[str, Callable[[], object]] = {
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "os._exit": lambda: os._exit(9),
}
_CALLS = 3
"""The process dies in the last of them."""


def _dying(end: Callable[[], object]) -> Callable[[Scene], list[Tool]]:
    def tools(scene: Scene) -> list[Tool]:
        ran = scene.folder / "ran"

        def body(number: int) -> str:
            """Do it."""
            with ran.open("a", encoding="utf-8") as file:
                file.write(f"{number}\n")
            if number == _CALLS:
                end()
            return "did it"

        return [Tool(name="act", body=body)]

    return tools


@contextmanager
def _own_home(scene: Scene) -> Iterator[None]:
    with scene.own_home():
        yield


def _variant(name: str) -> Variant:
    calls = [[Call(tool="act", arguments={"number": number})] for number in range(1, _CALLS + 1)]
    return Variant(name=name, tools=_dying(_ENDS[name]), turns=calls, gate={"allow": ["act"]}, fault=_own_home)


def _run(variant: Variant, harness: Harness, path: Path) -> Outcome:
    """The bodies that ran, by the file that they wrote, against the decisions that gate.log holds."""
    harness.load()
    with scene_of(harness, gated=True) as scene:
        in_a_fork(lambda: attempted(scene, variant, harness.usual(path)))
        ran = _numbers(scene.folder / "ran")
        logged = _decided(scene.folder / "state" / "gate.log")
    if _CALLS not in ran:
        return Outcome(calls=0, error=f"the control proves nothing: the process did not die in its call: {ran}")
    return Outcome(calls=_CALLS, bodies_run=(Counter(ran) - Counter(logged)).total())


def _numbers(file: File) -> list[int]:
    return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []


def _decided(log: File) -> list[int]:
    if not log.exists():
        return []
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [line["args"]["number"] for line in lines if line["kind"] == "decision" and line["tool"] == "act"]


def _trials(harness: Harness, path: Path) -> Sequence[Trial] | str:
    if why := harness.lacks("fork", path):
        return why
    return [_trial(_variant(name), harness, path) for name in _ENDS]


def _trial(variant: Variant, harness: Harness, path: Path) -> Trial:
    return Trial(name=variant.name, run=lambda: _run(variant, harness, path))


HOLE = Hole(number=15, title="the process dies before its records are written", trials=_trials)
