"""The peer, llm-sandbox, as a process of its own environment that answers with seconds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SECONDS = 60


class Peer:
    """Asks the peer for one timed call after another. A context manager."""

    def __init__(self, engine: str, image: str) -> None:
        """`engine`: its socket, `unix://…`. Blocks until the peer is ready. Raises OSError with why there is none."""
        python = os.environ.get("AGENTCOP_LLM_SANDBOX")
        if not python:
            raise OSError("llm-sandbox is in no environment here; use scripts/bench sandbox")
        script = Path(__file__).with_name("llm_sandbox_peer.py")
        self._process = subprocess.Popen(  # noqa: S603 -- our own script
            [python, str(script), engine, image], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._line() != "ready":
            raise OSError("llm-sandbox did not start here")

    def cold(self) -> float:
        """Seconds from nothing to the result in a new container."""
        return self._asked("cold")

    def warm(self) -> float:
        """Seconds of a call in a session that is open."""
        return self._asked("warm")

    def close(self) -> None:
        """Have it remove what it made."""
        if self._process.stdin is not None:
            self._process.stdin.write("end\n")
            self._process.stdin.close()
        self._process.wait(_SECONDS)

    def _asked(self, what: str) -> float:
        if self._process.stdin is None:
            raise OSError("llm-sandbox cannot be asked")
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        line = self._process.stdout.readline().strip() if self._process.stdout is not None else ""
        if not line:
            raise OSError("llm-sandbox ended")
        return line
