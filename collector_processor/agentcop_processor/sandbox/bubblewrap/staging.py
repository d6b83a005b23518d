"""What a root's own folders need to be seen by a bubblewrap that runs as nobody.

Nobody cannot walk to an interpreter or a project below `/root`. So the thread that starts the boxes gets a mount
namespace of its own, which no other thread or process of the host sees, and binds what a box shall see to a place there
that is open to all. What is in those folders keeps its own permissions.
"""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STAGE = "/sys"  # of the host's, no box sees anything, and bubblewrap needs nothing
_CLONE_NEWNS = 0x00020000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MS_BIND, _MS_REC, _MS_SLAVE = 0x1000, 0x4000, 0x80000
_MNT_DETACH = 2

_own = threading.local()


@contextmanager
def staged(sources: Iterable[str]) -> Iterator[Mapping[str, str]]:
    """Where each source is found meanwhile by who may not walk to it; for processes that this thread starts.

    The thread must be one that starts boxes and does nothing else. Raises OSError: also where a root may not mount.
    """
    if not getattr(_own, "namespace", False):
        _check(_libc().unshare(_CLONE_NEWNS), "unshare(CLONE_NEWNS)")
        _mount("none", "/", flags=_MS_REC | _MS_SLAVE)  # mounts of the host still come and go here, none of ours there
        _own.namespace = True
    _mount("agentcop", _STAGE, kind="tmpfs", flags=_MS_NOSUID | _MS_NODEV | _MS_NOEXEC, data="mode=0755,size=1m")
    try:
        places = {}
        for number, source in enumerate(sources):
            place = Path(_STAGE, str(number))
            if Path(source).is_dir():
                place.mkdir(0o755)
            else:
                place.touch(0o644)
            _mount(source, str(place), flags=_MS_BIND | _MS_REC)
            places[source] = str(place)
        yield places
    finally:
        _check(_libc().umount2(_STAGE.encode(), _MNT_DETACH), f"umount2({_STAGE})")


def _mount(source: str, target: str, *, kind: str = "", flags: int = 0, data: str = "") -> None:
    mounted = _libc().mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(mounted, f"mount({source}, {target})")


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
