"""The seccomp profile as each engine takes it: Docker wants its text, Podman a file of this machine."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.engines.seccomp import docker_profile

if TYPE_CHECKING:
    from agentcop_processor.sandbox.engine import EngineName


def profile_for(engine: EngineName) -> str:
    """What stands behind `seccomp=` in an engine's request. Writes a file for Podman, once. Raises OSError."""
    if engine != "podman":
        return _text()
    path = _folder() / "seccomp.json"
    if not path.exists():
        path.write_text(_text(), encoding="utf-8")
    return str(path)


@lru_cache(maxsize=1)
def _text() -> str:
    return json.dumps(docker_profile(), separators=(",", ":"))


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Only this user's; gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="agentcop-seccomp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
