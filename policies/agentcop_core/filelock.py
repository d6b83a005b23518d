"""One advisory lock a file, given up by the kernel when its holder dies."""

from __future__ import annotations

import contextlib
import sys

if sys.platform == "win32":
    import msvcrt
    import os

    _FAR = 0x7FFF_FFFE

    def try_lock(descriptor: int) -> bool:
        """Take the lock of this open file; False when another open file has it. Never blocks, never raises.

        Windows locks are mandatory, so a byte beyond any content is locked; readers are not in its way.
        """
        try:
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_END)
        return True

    def unlock(descriptor: int) -> None:
        """Give the lock up; never raises."""
        with contextlib.suppress(OSError):
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock of this open file; False when another open file has it. Never blocks, never raises.

        A file system without locks answers False: whatever lies there counts as somebody's.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def unlock(descriptor: int) -> None:
        """Give the lock up, also for a forked child that holds the same open file; never raises."""
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
