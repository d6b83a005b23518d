"""The file under gate.log: opened for append, rotated when it is full, followed when another process rotated it.

Every process of a machine appends to one file. Only rotation takes a lock, and never waits for it: who does not get it
goes on writing to the file it has, and follows within a second.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING

from agentcop_core.home import ensure_state_folder
from agentcop_processor.gatelog.chain import LOCK_NAME, LOG_NAME

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FLAGS = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    # A link could lead the log elsewhere, and a FIFO without a reader would hang the gate.
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


def free_bytes(folder: Path) -> int:
    """Bytes that this user can still write on the folder's file system."""
    return shutil.disk_usage(folder).free


def rotated_name(index: int) -> str:
    """The name of the file `index` rotations old; 0 is the one being written."""
    return f"{LOG_NAME}.{index}" if index else LOG_NAME


class LogFile:
    """One process's handle on `<folder>/gate.log`. Not thread-safe: its owner holds a lock."""

    __slots__ = (
        "_files",
        "_folder",
        "_free",
        "_ident",
        "_low_on_space",
        "_path",
        "_rotation_failed",
        "fd",
        "limit",
        "size",
    )

    def __init__(self, folder: Path, *, max_bytes: int, files: int, free: Callable[[Path], int]) -> None:
        """Does no I/O. `files` counts the one being written."""
        self.fd = -1
        self.size = 0
        """Bytes in the file when last looked at, plus our own since: what others add shows at the next `settle`."""
        self._folder = folder
        self._path = folder / LOG_NAME
        self.limit = max_bytes
        """At this size it is time to rotate."""
        self._files = files
        self._free = free
        self._ident = (-1, -1)
        self._low_on_space = False
        self._rotation_failed = False

    def open(self) -> str:
        """Open, creating folder (0700) and file (0600) as needed. Returns a warning or "". Raises OSError."""
        ensure_state_folder(self._folder)
        self._reopen()
        return self._space_warning()

    def close(self) -> None:
        """Close, if the descriptor is still ours: a daemon may have closed it and its number may be a socket now."""
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        try:
            if _ident(os.fstat(fd)) == self._ident:
                os.close(fd)
        except OSError:
            return  # closed behind our back: nothing is left to close

    def settle(self) -> str:
        """Be on the file that bears the name, rotating first if it is full. Returns a warning or "". Raises OSError.

        A rotation that fails is a warning only: the log grows on, and is written.
        """
        try:
            named = self._path.lstat()
        except FileNotFoundError:
            return self.open()
        if _ident(named) != self._ident:
            self._reopen()
            return ""
        self.size = named.st_size
        if self.size < self.limit:
            return self._space_warning()
        try:
            self._rotate()
        except OSError as error:
            self.size = 0  # not full, so that it is tried again at the next look and not at every line
            said, self._rotation_failed = self._rotation_failed, True
            return "" if said else f"gate.log could not be rotated ({error}); it grows past its {self.limit} bytes"
        self._rotation_failed = False
        return self._space_warning()

    def _reopen(self) -> None:
        fd = os.open(self._path, _FLAGS, 0o600)
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            message = f"{self._path} is not a regular file"
            raise OSError(message)
        if sys.platform != "win32" and found.st_mode & 0o077:
            os.fchmod(fd, 0o600)
        self.close()
        self.fd, self.size, self._ident = fd, found.st_size, _ident(found)

    def _rotate(self) -> None:
        """Shift every file up by one name, under the lock; nothing if another process is at it or has done it."""
        lock = os.open(self._folder / LOCK_NAME, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if not _only_rotator(lock) or not self._named():
                return
            os.ftruncate(lock, 1)  # a rotation is under way: whoever finds a gap now knows why. Takes no space.
            # Up to the first free name only: a gap (a rotator killed half-way) closes instead of pushing files out.
            last = next((i for i in range(1, self._files) if not self._at(i).exists()), self._files - 1)
            for index in range(last, 0, -1):
                self._at(index - 1).replace(self._at(index))
            if last == 0:
                self._path.unlink()
            self._reopen()
            os.ftruncate(lock, 0)
        finally:
            os.close(lock)

    def _named(self) -> bool:
        """Whether the open file is still the one that bears the name."""
        try:
            return _ident(self._path.lstat()) == self._ident
        except FileNotFoundError:
            return False

    def _at(self, index: int) -> Path:
        return self._folder / rotated_name(index)

    def _space_warning(self) -> str:
        try:
            free = self._free(self._folder)
        except OSError:
            return ""  # a file system that does not say how full it is can still be written
        was_low, self._low_on_space = self._low_on_space, free < 2 * self.limit
        if not self._low_on_space or was_low:
            return ""
        return (
            f"{free // 1_048_576} MiB are left on the disk of {self._path}. When it is full, tool calls are blocked: "
            "free some space, or move AGENTCOP_HOME"
        )


def _only_rotator(lock: int) -> bool:
    """Take the lock, unless somebody has it. Windows renames no open file, so nothing can go wrong there unlocked."""
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _ident(status: os.stat_result) -> tuple[int, int]:
    return (status.st_dev, status.st_ino)
