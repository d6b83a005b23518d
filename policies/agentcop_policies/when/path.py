"""`path.within(path, folder)`: whether a file path lies in a folder, judged on what the file system says now.

- The path is what the tool received; a relative one is taken from the process's working directory, because that is
  what the tool's body would open. The folder is the policy's own text; a relative one starts at the policy
  file's folder.
- Both are resolved (symbolic links, `..`), and then compared by name and, for case-insensitive disks and bind mounts,
  by identity. The folder is within itself. A file that does not exist yet is judged by the folder it would stand in.
- A path that a tool could read in more than one way is neither within nor outside: `~`, `$NAME`, URLs, backslashes,
  percent-escapes, characters that only look like a separator, control characters, /proc.

The answer holds for the moment of the verdict: a link swapped between the verdict and the tool's `open` is not seen.
May block on the file system.
"""

# Paths stay text: Path drops the very parts that must be looked at.
# ruff: noqa: PTH109, PTH115, PTH116, PTH118, PTH120, PTH206

from __future__ import annotations

import os
import re
import stat
import unicodedata
from typing import TYPE_CHECKING

from agentcop_policies.when.cannot import CannotJudgeError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_PATH = 4_096
_MAX_LINKS = 40
_WINDOWS = os.name == "nt"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//|\\\\)" if _WINDOWS else r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPE = re.compile(r"%(2e|2f|5c|25|00)", re.IGNORECASE)
_LOOKALIKE = frozenset("./\\~:%$")
_ELSEWHERE = ("/proc", "/dev/fd")


def folder_problem(folder: str) -> str:
    """What is wrong with a folder written in a policy; "" when nothing is."""
    if not folder.strip():
        return "path.within needs a folder; write '.' for the policy file's own"
    if folder.startswith("~") or "$" in folder:
        return "path.within: write the folder out; `~` and variables are not expanded"
    if "\0" in folder:
        return "path.within: a folder cannot hold a NUL"
    return ""


def within(path: str, folder: str, *, base: Path) -> bool:
    """Whether `path` lies in `folder` (relative to `base`) or is it. Raises CannotJudgeError when that is not clear."""
    _refuse_ambiguous(path)
    home = _resolve(os.path.join(base, folder))
    try:
        asked = os.path.join(os.getcwd(), path)
    except OSError as fault:
        raise CannotJudgeError("the working directory is gone") from fault
    answer = _lies_in(_resolve(asked), home)
    if os.pardir in asked.split(os.sep) and _lies_in(_resolve(os.path.normpath(asked)), home) is not answer:
        raise CannotJudgeError("the path means another file to a tool that shortens `..` first")
    return answer


def _lies_in(target: str, home: str) -> bool:
    if target == home or target.startswith(home.rstrip(os.sep) + os.sep):
        return True
    return _is_inside_by_identity(target, home)


def _refuse_ambiguous(path: str) -> None:
    if not path:
        raise CannotJudgeError("the path is empty")
    if len(path) > _MAX_PATH:
        raise CannotJudgeError("the path is longer than 4,096 characters")
    if path != path.strip():
        raise CannotJudgeError("the path begins or ends with white space")
    if not path.isprintable():
        raise CannotJudgeError("the path holds a control or invisible character")
    if path.startswith("~") or "$" in path:
        raise CannotJudgeError("the path holds `~` or `$`, which some tools expand")
    if _SCHEME.match(path):
        raise CannotJudgeError("the path is a URL or begins with a drive")
    if "\\" in path and not _WINDOWS:
        raise CannotJudgeError("the path holds a backslash")
    if _ESCAPE.search(path):
        raise CannotJudgeError("the path holds a percent-escape")
    if not path.isascii() and any(
        not _LOOKALIKE.isdisjoint(unicodedata.normalize("NFKC", character)) for character in path if character > "\x7f"
    ):
        raise CannotJudgeError("the path holds a character that looks like a separator")


def _resolve(path: str) -> str:
    """The path without links and `..`, as the kernel walks it; a part that does not exist yet stands as written.

    `os.path.realpath` is not enough: it goes on by name through /proc's links, which lead to other processes' roots,
    and takes a part it cannot look at for a plain folder.
    """
    if _WINDOWS:
        return os.path.realpath(path)
    here, links, exists = os.sep, 0, True
    pending = path.split(os.sep)[::-1]
    while pending:
        name = pending.pop()
        if name in ("", os.curdir):
            continue
        if name == os.pardir:
            if not exists:
                raise CannotJudgeError("the path goes up from a folder that does not exist")
            here = os.path.dirname(here)
            continue
        here = os.path.join(here, name)
        if here in _ELSEWHERE:
            raise CannotJudgeError("the path leads through /proc or /dev/fd")
        target = _link(here) if exists else ""
        if target is None:
            exists = False
        elif target:
            links += 1
            if links > _MAX_LINKS:
                raise CannotJudgeError("the path holds too many links")
            here = os.sep if target.startswith(os.sep) else os.path.dirname(here)
            pending.extend(reversed(target.split(os.sep)))
    return here


def _link(path: str) -> str | None:
    """Where the link at `path` points; "" if it is not one, None if nothing is there."""
    try:
        return os.readlink(path) if stat.S_ISLNK(os.lstat(path).st_mode) else ""
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:
        raise CannotJudgeError("the path cannot be resolved") from fault


def _is_inside_by_identity(target: str, home: str) -> bool:
    try:
        wanted = os.stat(home)
    except OSError:
        return False
    if not stat.S_ISDIR(wanted.st_mode):
        return False
    here = target
    for _ in range(_MAX_PATH):
        try:
            found = os.stat(here)
        except FileNotFoundError:
            pass
        except OSError as fault:
            raise CannotJudgeError("the path cannot be resolved") from fault
        else:
            if os.path.samestat(found, wanted):
                return True
        above = os.path.dirname(here)
        if above == here:
            return False
        here = above
    return False
