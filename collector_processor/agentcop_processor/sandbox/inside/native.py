"""The few system calls that start-up needs, without the packages `ctypes` and `signal`: these take 6 ms to import."""

from __future__ import annotations

import _ctypes
import _signal  # type: ignore[import-not-found]  # has no types; the module signal imports enum, 4 ms

PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
_LANDLOCK_CREATE_RULESET = 444  # the same on every architecture
_LANDLOCK_VERSION = 1

SIGKILL = 9

_libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself


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


def undo_signals() -> None:
    """No handler of Python's: what is sent to pid 1 by a process of its own box is then not delivered at all."""
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_DFL)


def note_deaths() -> None:
    """Have the end of a child noted for `wait_for_a_death`, for good."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGCHLD,))


def wait_for_a_death(seconds: float) -> None:
    """Until a child has ended since it was last noted, or for so many seconds. Raises nothing."""
    try:
        _signal.sigtimedwait((_signal.SIGCHLD,), seconds)
    except OSError:
        pass  # then sooner


def usual_signals() -> None:
    """What a Python that has just started does: SIGINT raises KeyboardInterrupt, none is blocked."""
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
