"""The few system calls that Python has no function for, without the package `ctypes`: that takes 2 ms to import."""

from __future__ import annotations

import _ctypes

PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
_LANDLOCK_CREATE_RULESET = 444  # the same on every architecture
_LANDLOCK_VERSION = 1

_libc = _ctypes.dlopen(None, 0)


def _call(name: str, *arguments: int) -> int:
    """Numbers of 32 bits in, as libc's function of that name takes them, and its `int` out; -1 is an error."""
    result: int = _ctypes.call_function(_ctypes.dlsym(_libc, name), arguments)
    return result


def set_dumpable(*, dumpable: bool) -> None:
    """Whether processes of the same user may read this one's memory and files in `/proc`. Raises OSError."""
    if _call("prctl", PR_SET_DUMPABLE, int(dumpable), 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_DUMPABLE) failed")


def dumpable() -> int:
    """What the kernel says of it now: 0 is no."""
    return _call("prctl", PR_GET_DUMPABLE, 0, 0, 0, 0)


def landlock_version() -> int:
    """The version of landlock that this kernel offers to this process; 0 is none."""
    return max(_call("syscall", _LANDLOCK_CREATE_RULESET, 0, 0, _LANDLOCK_VERSION), 0)
