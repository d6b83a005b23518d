"""How far the scorer has read, for the front: a small file beside the segments."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

import google_crc32c

from agentcop_core.home import make_private
from agentcop_detectors.segments.tail import BEGINNING, Position

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "read.position"
_FORM: Final = struct.Struct("<QQ")
_SUM: Final = struct.Struct("<I")


class Published:
    """The scorer's end: overwrites one small file. One thread."""

    def __init__(self, folder: Path) -> None:
        """Opens nothing."""
        self._path = folder / _NAME
        self._descriptor = -1
        self._last: Position | None = None

    def put(self, position: Position) -> None:
        """Say that everything before `position` was read. One system call; none if nothing changed. Raises OSError."""
        if position == self._last:
            return
        if self._descriptor < 0:
            make_private(self._path.parent)  # the scorer may be there before the front
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
        packed = _FORM.pack(*position)
        os.pwrite(self._descriptor, packed + _SUM.pack(google_crc32c.value(packed)), 0)
        self._last = position

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class Reader:
    """The front's end. Any thread."""

    def __init__(self, folder: Path) -> None:
        """Opens nothing."""
        self._path = folder / _NAME
        self._last = BEGINNING

    def get(self) -> Position:
        """The position that was published last; what was known before where the file is just being written."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return self._last
        packed, checksum = data[: _FORM.size], data[_FORM.size :]
        if len(checksum) == _SUM.size and _SUM.unpack(checksum)[0] == google_crc32c.value(packed):
            self._last = Position(*_FORM.unpack(packed))
        return self._last
