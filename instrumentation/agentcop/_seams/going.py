"""Runs whose entry returns at once and that go on in a task: they end when it does, and raise where it is iterated."""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING, Any

from agentcop_core.errors import ToolBlocked

if TYPE_CHECKING:
    from asyncio import Future

    from agentcop.adapters._interface import EntryTarget
    from agentcop_processor.entry import Entry

_log = logging.getLogger("agentcop")

_going: dict[int, _Run] = {}


class Going:
    """The step of an entry whose result is not yet the answer, or holds it: as the entry's own but for that."""

    def __init__(self, entry: Entry, target: EntryTarget) -> None:
        """`entry`: entered."""
        self._entry = entry
        self._target = target
        self.started = entry.started
        self.resume = entry.resume
        self.suspend = entry.suspend
        self.failed = entry.failed

    def returned(self, result: object) -> None:
        """The run is over, and its sticky refusal is raised; or it has only begun, and goes on in its task."""
        task = self._target.goes_on.task(result) if self._target.goes_on is not None else None
        if task is None:
            self._entry.returned(_answer(self._target, result))
            return
        self._entry.suspend()
        run = _Run(self._entry, self._target, result)
        _going[id(result)] = run
        task.add_done_callback(run.over)
        weakref.finalize(result, _gone, id(result), run)


class Ending:
    """The step of iterating a run to its end: raises the run's sticky refusal there."""

    def __init__(self, entry: Entry) -> None:
        """`entry`: the run's; it may be over already."""
        self._entry = entry

    def started(self) -> None:
        """Nothing to begin."""

    def resume(self) -> None:
        """The run is current in its own task."""

    def suspend(self) -> None:
        """Nothing to give back."""

    def returned(self, result: object) -> None:  # noqa: ARG002 -- a stream has none
        """Raises the run's sticky ToolBlocked, if it has one."""
        if self._entry.blocked is not None:
            raise self._entry.blocked

    def failed(self, error: BaseException) -> None:
        """Raises it in place of another error, as an entry does."""
        blocked = self._entry.blocked
        if blocked is not None and isinstance(error, Exception) and not isinstance(error, ToolBlocked):
            raise blocked from error


def ending_of(result: object) -> Ending | None:
    """The step of iterating `result`; None where no cop governs the run that it is of."""
    run = _going.get(id(result))
    return Ending(run.entry) if run is not None and run.result() is result else None


class _Run:
    """One run that goes on, and how it is known that it is over."""

    def __init__(self, entry: Entry, target: EntryTarget, result: object) -> None:
        self.entry = entry
        self._target = target
        self.result = weakref.ref(result)

    def over(self, task: Future[Any] | None = None) -> None:
        """Told by the task, and when nobody holds the result any more: the first counts."""
        error = task.exception() if task is not None and not task.cancelled() else None
        result = self.result()
        self.entry.over(_answer(self._target, result) if result is not None and error is None else None, error)


def _gone(key: int, run: _Run) -> None:
    _going.pop(key, None)
    run.over()


def _answer(target: EntryTarget, result: object) -> object:
    try:
        return result if target.output is None else target.output(result)
    except Exception:
        _log.exception("agentcop: what an agent answered could not be read")
        return None
