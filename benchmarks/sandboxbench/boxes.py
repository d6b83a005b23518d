"""The engines that are here, and the timed ways of a call through a box of each."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import SandboxTimeout
from agentcop_processor.sandbox.boxes.lease import Lease, Once
from agentcop_processor.sandbox.boxes.pool import Kind, Waiting
from agentcop_processor.sandbox.boxes.runner import opened, prepare
from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.boxes.runner import Runner
    from agentcop_processor.sandbox.engine import Engine

ADD: Final = Parcel(module="operator", name="add")
SLEEP: Final = Parcel(module="time", name="sleep")
DEADLINE: Final = 0.5
"""Seconds that the tool which oversleeps is given."""
_LOADED: Final = 0.3
"""Seconds after which the tool is loaded: a box in the pool has waited for longer."""
_LONG: Final = 30.0
_READY: Final = 30.0


def engines() -> dict[str, tuple[Engine, str]]:
    """Each engine that is here, containers first, with its socket's address; "" for bubblewrap."""
    from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine
    from agentcop_processor.sandbox.containers.found import found

    here: dict[str, tuple[Engine, str]] = {}
    addresses = (os.environ.get("TEST_DOCKER", ""), os.environ.get("TEST_PODMAN", ""))
    for address in addresses if any(addresses) else (os.environ.get("DOCKER_HOST", ""),):
        try:
            each = found({**os.environ, "DOCKER_HOST": address})[0]
        except EngineDown as down:
            print(f"not measured: {down}")
            continue
        here.setdefault(each.name, (each, f"unix://{each.socket}"))
    here["process"] = (ProcessEngine(), "")
    return here


def settings_of(name: str) -> Settings:
    """The defaults, without a network, so that no proxy is measured."""
    return Settings(mode="process" if name == "process" else "container", network="none")


class Boxes:
    """The timed ways of one engine; each gives seconds."""

    def __init__(self, name: str, engine: Engine) -> None:
        """Nothing is started yet."""
        self.name = name
        self._engine = engine
        self.settings = settings_of(name)

    def ready(self, parcel: Parcel = ADD, timeout: float = 60.0) -> Waiting:
        """A box that is open, has been probed, and has the tool loaded."""
        kind = Kind(settings=replace(self.settings, timeout=timeout), mounts=())
        box = opened(self._engine, kind)
        prepare(box, kind.settings, parcel)
        return Waiting(kind=kind, box=box, parcel=parcel, since=0.0)

    def cold(self) -> float:
        """From nothing to the result."""
        began = time.perf_counter()
        waiting = self.ready()
        _five(waiting)
        taken = time.perf_counter() - began
        waiting.box.close()
        return taken

    def warm(self) -> float:
        """From the call to the result, in a box that waits with the tool loaded."""
        waiting = self.ready()
        time.sleep(_LOADED)
        began = time.perf_counter()
        _five(waiting)
        taken = time.perf_counter() - began
        waiting.box.close()
        return taken

    def refill(self) -> float:
        """What the background does for each call: start, probe, load."""
        began = time.perf_counter()
        waiting = self.ready()
        taken = time.perf_counter() - began
        waiting.box.close()
        return taken

    def overshoot_warm(self) -> float:
        """How much later than its deadline a call ends, in a box that waits."""
        waiting = self.ready(SLEEP, DEADLINE)
        time.sleep(_LOADED)
        began = time.perf_counter()
        _times_out(waiting)
        taken = time.perf_counter() - began - DEADLINE
        waiting.box.close()
        return taken

    def overshoot_cold(self) -> float:
        """The same from nothing: the start of the box counts."""
        began = time.perf_counter()
        waiting = self.ready(SLEEP, DEADLINE)
        _times_out(waiting)
        taken = time.perf_counter() - began - DEADLINE
        waiting.box.close()
        return taken

    def pool_hit(self, runner: Runner) -> Callable[[], float]:
        """A whole call by the runner, its box from the pool; between two calls the pool is let fill up."""

        def call() -> float:
            _filled(runner)
            began = time.perf_counter()
            lease = runner.lease(self.settings, ADD, "bench")
            _check(lease.run("add", (2, 3), {}).value)
            taken = time.perf_counter() - began
            _filled(runner)  # or the refill would run beside whatever is measured next
            return taken

        return call


def _filled(runner: Runner) -> None:
    until = time.monotonic() + _READY
    while runner._pool.counts()[0] < 1 and time.monotonic() < until:  # noqa: SLF001 -- nothing else tells
        time.sleep(0.01)


def _lease(waiting: Waiting) -> Lease:
    return Lease(waiting, _kept, Once(_nothing))


def _kept(waiting: Waiting, again: bool) -> None:  # noqa: FBT001 -- as a Lease calls it
    """The box is closed when the clock has stopped."""


def _nothing() -> None:
    """No room is counted here."""


def _five(waiting: Waiting) -> None:
    _check(_lease(waiting).run("add", (2, 3), {}).value)


def _check(value: object) -> None:
    if value != 5:  # noqa: PLR2004 -- 2 + 3
        raise RuntimeError(f"the box gave {value!r}")


def _times_out(waiting: Waiting) -> None:
    try:
        _lease(waiting).run("sleep", (_LONG,), {})
    except SandboxTimeout:
        return
    raise RuntimeError("the tool came to its end")
