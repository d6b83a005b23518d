"""Which engine a call's box comes from: the one the policy's mode asks for, and no other behind anybody's back."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox.engine import EngineDown

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.engine import Engine
    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger("agentcop")
_T = TypeVar("_T")


class Choice:
    """The engines that have answered in this process. Thread-safe."""

    def __init__(self) -> None:
        """None was asked yet."""
        self._containers: tuple[Engine, ...] = ()
        self._process: Engine | None = None
        self._lock = safe_lock()
        self._said = False

    def first(self, settings: Settings, use: Callable[[Engine], _T]) -> _T:
        """What `use` gives of the first engine of the policy's mode that it works with.

        Raises EngineDown with every reason. Only a policy with `fallback: process` gets a process in a container's
        place, and that is logged; none where an engine gave a box that does not hold, or has another image than is
        pinned.
        """
        if settings.mode == "process":
            return use(self._bubblewrap())
        try:
            return self._in_container(use)
        except EngineDown as down:
            if not settings.fallback or down.wrong:
                raise
            if not self._said:
                self._said = True
                _log.warning("agentcop: sandbox.fallback: tools run in mode process, not container: %s", down)
            return use(self._bubblewrap())

    def _in_container(self, use: Callable[[Engine], _T]) -> _T:
        reasons: list[EngineDown] = []
        for engine in self._found():
            try:
                return use(engine)
            except EngineDown as down:
                reasons.append(down)
        with self._lock:
            self._containers = ()  # they are looked for again at the next call
        raise EngineDown("; ".join(map(str, reasons)), wrong=any(down.wrong for down in reasons))

    def _found(self) -> tuple[Engine, ...]:
        if not self._containers:
            with IMPORTING:
                from agentcop_processor.sandbox.containers.found import found

            engines = found(os.environ)
            for engine in engines:
                _sweep(engine)
            with self._lock:
                self._containers = engines
        return self._containers

    def _bubblewrap(self) -> Engine:
        with IMPORTING:
            from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine

        with self._lock:
            if self._process is None:
                self._process = ProcessEngine()
                _sweep(self._process)
            return self._process


def _sweep(engine: Engine) -> None:
    """Have what dead processes left removed, by a thread of its own: there may be much, and no call waits for it."""
    try:
        threading.Thread(target=engine.sweep, name="agentcop-sandbox-sweep", daemon=True).start()
    except RuntimeError as error:  # no room for a thread, or the interpreter ends
        _log.warning("agentcop: what dead processes may have left on %s is not looked for: %s", engine.name, error)
