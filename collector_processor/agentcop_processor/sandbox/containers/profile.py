"""The seccomp profile as each engine takes it: Docker wants its text, Podman a file of this machine."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_core.home import absolute
from agentcop_processor.sandbox.engines.seccomp import docker_profile

if TYPE_CHECKING:
    from agentcop_processor.sandbox.engine import EngineName


def profile_for(engine: EngineName) -> str:
    """What stands behind `seccomp=` in an engine's request. Podman's file is written where it is not as it should be.

    Raises OSError.
    """
    text = _text()
    if engine != "podman":
        return text
    name = f"seccomp-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    try:
        folder = Path(absolute(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / "agentcop"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_ours(folder)
        return _kept(folder / name, text)
    except (OSError, RuntimeError):  # a service's user has no home folder that it may write to, or none at all
        return _kept(_folder(os.getpid()) / name, text)


def _check_ours(folder: Path) -> None:
    """Whether nobody else can change what lies in it: sudo leaves another user's home in the environment."""
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} is not this user's alone")


def _kept(path: Path, text: str) -> str:
    """The path of a file with this text, which no reader ever sees half written."""
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return str(path)
    file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return str(path)


@lru_cache(maxsize=1)
def _text() -> str:
    return json.dumps(docker_profile(), separators=(",", ":"))


@lru_cache(maxsize=1)
def _folder(pid: int) -> Path:
    """Only this user's and this process's; gone with it. A forked child has one of its own, and leaves its parent's."""
    folder = Path(tempfile.mkdtemp(prefix="agentcop-seccomp-"))
    atexit.register(_gone, folder, pid)
    return folder


def _gone(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
