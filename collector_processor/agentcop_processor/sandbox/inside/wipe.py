"""Leaves nothing of a call for the next: empties what it could write to, and looks where else it could leave traces."""

from __future__ import annotations

import errno
import os
import resource
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")  # noqa: S108 -- what is emptied, not used
"""Everybody may write to these where they are no read-only files of the image."""
BUDGET = 1.0
"""Seconds for all of them; a call can make more files than anybody waits for."""
_ALL = stat.S_IRWXU
_MADE = 0o755
"""The permissions of a folder that the engine has made for a mount in it."""
_LIMITS = 16  # kinds of resource limits that Linux has


class Before:
    """How it was before the first call."""

    __slots__ = ("_modes", "_mounts", "_shared", "_supervisor")

    def __init__(self) -> None:
        self._modes = {folder: stat.S_IMODE(os.stat(folder).st_mode) for folder in FOLDERS if os.path.isdir(folder)}
        self._mounts = frozenset(_mounted())
        self._shared = _shared()
        self._supervisor = _supervisor()

    def restore(self) -> bool:
        """Whether it is so again. Nothing else runs meanwhile; never raises, takes a second at most.

        Follows no link, enters no mount but the folders themselves, needs no permission that the call took away.
        """
        until = time.monotonic() + BUDGET
        emptied = [_emptied(folder, mode, until) for folder, mode in self._modes.items()]
        same = frozenset(_mounted()) == self._mounts  # a folder above a mount can be moved, and the mount with it
        return all(emptied) and same and _shared() == self._shared and _supervisor() == self._supervisor


def _shared() -> tuple[bytes, ...]:
    """The memory, queues and semaphores of System V, which outlive the processes that made them."""
    found = []
    for kind in ("shm", "msg", "sem"):
        try:
            with open(f"/proc/sysvipc/{kind}", "rb") as file:
                found.append(file.read())
        except OSError:
            found.append(b"")
    return tuple(found)


def _supervisor() -> tuple[object, ...]:
    """What a process of the same user can change of this one, and the next call's would begin with."""
    limits = tuple(resource.getrlimit(number) for number in range(_LIMITS))
    return limits, os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0), os.sched_getscheduler(0)


def _emptied(folder: str, mode: int, until: float) -> bool:
    try:
        ours = _allowed(folder, mode | _ALL)  # else the call could not change it either
        if not ours and not os.access(folder, os.W_OK):
            return True  # nobody can have left anything there
        for name in _notes(folder):
            os.removexattr(folder, name)
        emptied = _remove(folder, until)
        if ours:
            os.chmod(folder, mode)
    except OSError:
        return False
    return emptied


def _allowed(folder: str, mode: int) -> bool:
    """Whether these could be made its permissions: the owner it shows is no sign, where the real one has no number."""
    try:
        os.chmod(folder, mode)
    except OSError:
        return False
    return True


def _notes(folder: str) -> list[str]:
    """The extended attributes that anybody may give it; there are none where there cannot be any."""
    try:
        return [name for name in os.listxattr(folder) if name.startswith("user.")]
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return []
        raise


def _remove(folder: str, until: float) -> bool:
    """A folder's folders are moved up before it is removed: no path gets long, however deep they are."""
    names = os.listdir(folder)
    mounted = tuple(_mounted()) if names else ()
    kept = [name for name in names if f"{folder}/{name}" in mounted]
    full = [name for name in names if any(place.startswith(f"{folder}/{name}/") for place in mounted)]
    names = [name for name in names if name not in kept and name not in full]
    fresh = os.urandom(8).hex()
    moved = 0
    while names:
        name = names.pop()
        path = f"{folder}/{name}"
        if time.monotonic() > until:
            return False
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            continue
        os.chmod(path, _ALL)
        with os.scandir(path) as entries:
            for entry in entries:
                if time.monotonic() > until:
                    return False
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, _ALL)  # a folder that is not writable cannot be moved
                os.rename(entry.path, f"{folder}/{fresh}-{moved}")
                names.append(f"{fresh}-{moved}")
                moved += 1
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            names.append(name)  # a folder that changes while it is read may not have told all
    return all(_emptied(f"{folder}/{name}", _MADE, until) for name in full)


def _mounted() -> Iterator[str]:
    """Where something is mounted now, as `/proc` tells it, with its escapes undone."""
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            place = line.split(b" ")[4]
            for escaped, plain in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
                place = place.replace(escaped, plain)
            yield os.fsdecode(place)
