"""Reads a file's bytes and text within limits. Never follows a link, never waits on a pipe or device."""

from __future__ import annotations

import io
import os
import stat
import tokenize
from typing import TYPE_CHECKING

from agentcop_scanner.source.disk.problem import UnreadError

if TYPE_CHECKING:
    from agentcop_scanner.source.disk.kinds import FileKind

MAX_BYTES: dict[FileKind, int] = {"python": 4 << 20, "notebook": 32 << 20, "document": 2 << 20}
"""Largest file of each kind that is read."""


def read_bytes(real: str, kind: FileKind) -> bytes:
    """The bytes of a regular file. Raises UnreadError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(real, flags | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        raise UnreadError("unreadable", getattr(error, "strerror", None) or str(error)) from error
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise UnreadError("unreadable", "not a regular file")
        with open(number, "rb", closefd=False) as file:
            found = file.read(MAX_BYTES[kind] + 1)
    except OSError as error:
        raise UnreadError("unreadable", error.strerror or str(error)) from error
    finally:
        os.close(number)
    if len(found) > MAX_BYTES[kind]:
        raise UnreadError("too_large", f"over {MAX_BYTES[kind]} bytes")
    return found


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def python_text(raw: bytes) -> str:
    """The text of Python source, in the encoding that it declares. Raises UnreadError."""
    if b"\0" in raw:
        raise UnreadError("unparsable", "holds null bytes")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return _unified(raw.decode(encoding))
    except SyntaxError as error:
        raise UnreadError("unparsable", str(error)) from error
    except (UnicodeError, LookupError, ValueError) as error:
        raise UnreadError("unreadable", f"not in the encoding it declares: {str(error)[:120]}") from error


def document_text(raw: bytes) -> str:
    """The text of any other file: UTF-8, or UTF-16 with its mark. Raises UnreadError."""
    try:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return _unified(raw.decode("utf-16"))
        return _unified(raw.decode("utf-8-sig"))
    except UnicodeError as error:
        raise UnreadError("unreadable", f"not UTF-8: {str(error)[:120]}") from error
