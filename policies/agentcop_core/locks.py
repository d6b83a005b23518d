"""Locks that neither a finaliser nor a fork can turn against the process.

They are reentrant: the garbage collector runs finalisers on the thread that holds one, and a finaliser may make a gated
call. In a forked child they are free, whoever held them in the parent: that thread does not exist there.
"""

from __future__ import annotations

import os
import threading
import weakref

_locks: weakref.WeakSet[threading.RLock] = weakref.WeakSet()


def safe_lock() -> threading.RLock:
    """A new lock; it guards counters and tables whose every step leaves them sound."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


def _free_all() -> None:
    for lock in list(_locks):
        # What the standard library does with its own; typeshed leaves it out.
        lock._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001 -- as above


IMPORTING = safe_lock()
"""Held by whoever imports in the middle of a call or in a thread of ours, so that no fork falls into it.

A module that one thread was importing when another forked stays half imported in the child, and locked: whoever needs
it there waits for ever. A fork waits for this lock instead, for as long as an import takes.
"""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=IMPORTING.acquire, after_in_parent=IMPORTING.release, after_in_child=_free_all)
