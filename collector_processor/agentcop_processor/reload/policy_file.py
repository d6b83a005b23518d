"""The policy file of one gate: read again when it changed, and kept as it was where what it says now is no policy.

No thread watches it: the first call after a second has passed looks at the files, and judges by what it finds. So the
look costs a few system calls a second, and nothing outlives the process or is lost in a fork.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import PolicyError
from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.reload.watched import Watched, marks_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_policies import Policy
    from agentcop_processor.reload.watched import Marks

_log = logging.getLogger("agentcop")

LOOK_EVERY: Final = 1.0
"""Seconds between two looks."""

_ATTEMPTS: Final = 3


class PolicyFile:
    """One policy file with those it extends. Thread-safe: one thread looks at a time, the others go on meanwhile."""

    def __init__(
        self,
        path: str,
        load: Callable[[], Policy],
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`path`: absolute, links not resolved. `load`: reads it. Does no I/O: `first` does."""
        self.path = path
        self._load = load
        self._monotonic = monotonic
        self._watched = Watched(now=now, monotonic=monotonic)
        self._lock = safe_lock()
        self._looking: int | None = None
        self._look_at = 0.0

    def first(self) -> Policy:
        """The policy as it stands. Raises PolicyError as `load` does."""
        try:
            policy, marks = self._consistent(marks_of((self.path, os.path.realpath(self.path))))
        except _Moving:
            raise PolicyError([f"{self.path}: it changes while it is read"]) from None
        self._watched.take(marks, self._texts(marks))
        self._look_at = self._monotonic() + LOOK_EVERY
        return policy

    def is_due(self) -> bool:
        """Whether it is time to look again. Asked at every call."""
        return self._monotonic() >= self._look_at

    def look(self, take: Callable[[Policy], None], keep: Callable[[tuple[str, ...]], None]) -> None:
        """Look at the files if nobody else does: `take` a new policy, or `keep` the old one, and why. Never raises.

        Blocks for reading where something changed and has come to rest. Each state of the files is dealt with once.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._looking == threading.get_ident():
                return  # what is told of a change may itself make a gated call
            self._looking = threading.get_ident()
            self._look_at = self._monotonic() + LOOK_EVERY
            marks = self._watched.changed(_read)
            if marks is not None:
                self._renew(marks, take, keep)
        except Exception:
            _log.exception("agentcop: %s could not be looked at; the policy in force stays", self.path)
        finally:
            self._looking = None
            self._lock.release()

    def _renew(self, marks: Marks, take: Callable[[Policy], None], keep: Callable[[tuple[str, ...]], None]) -> None:
        try:
            policy, found = self._consistent(marks)
            take(policy)
        except _Moving:
            return  # it changed while it was read: next time
        except PolicyError as error:
            self._watched.leave(marks)
            keep(error.problems)
        except Exception as error:
            _log.exception("agentcop: %s could not be read anew", self.path)
            self._watched.leave(marks)
            keep((f"{self.path}: {type(error).__name__}",))
        else:
            self._watched.take(found, self._texts(found))

    def _consistent(self, marks: Marks) -> tuple[Policy, Marks]:
        """The policy, and the state of all its files before and after they were read. Raises PolicyError, _Moving."""
        for _ in range(_ATTEMPTS):
            policy = self._load()
            paths = dict.fromkeys((self.path, *map(str, policy.files)))
            found = marks_of(paths)
            if found == marks:
                return policy, marks
            marks = found
        raise _Moving

    @staticmethod
    def _texts(marks: Marks) -> dict[str, bytes]:
        texts = {}
        for path in marks:
            try:
                texts[path] = _read(path)
            except OSError:
                continue  # gone since; the next look sees that
        return texts


class _Moving(Exception):  # noqa: N818 -- says what the files are doing
    """The files change as fast as they are read."""


def _read(path: str) -> bytes:
    with IMPORTING:
        from agentcop_policies.reading.extends import read_file
    return read_file(Path(path))
