"""Runs an example as a user does: its agent.py by an interpreter of its own, in an empty folder, its model scripted."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_server import openai_server
from processes import Program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_server import Scripted

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one run printed, did and asked."""

    code: int
    out: str
    err: str
    folder: Path
    requests: list[dict[str, Any]]

    def read(self, name: str) -> list[str]:
        """The lines of a file that a tool writes; none if no tool did."""
        path = self.folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def decisions(self) -> list[tuple[str, str, str]]:
        """Tool, verdict and rule of each decision in gate.log."""
        lines = [json.loads(line) for line in (self.folder / "state/gate.log").read_bytes().splitlines()]
        return [(line["tool"], line["verdict"], line["rule"]) for line in lines if line["kind"] == "decision"]


def run_example(name: str, folder: Path, script: Sequence[Scripted], *request: str) -> Ran:
    """Run example `name` in `folder` with this request for the agent."""
    with openai_server(script) as url:
        environment = {"AGENTCOP_HOME": "state", "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"}
        program = Program(folder=folder, environment={**environment, "PYTHONPATH": os.environ.get("PYTHONPATH", "")})
        done = program.run(EXAMPLES / name / "agent.py", *request)
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr, folder=folder, requests=list(url.requests))
