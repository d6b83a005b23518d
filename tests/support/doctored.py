"""`agentcop doctor`, asked about the policy of a test's own folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processes import POLICY, SCRIPTS, Program

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the doctor said, read from its JSON."""

    code: int
    protected: bool
    seams: list[dict[str, Any]]
    checks: list[dict[str, str]]
    stderr: str

    def states(self, process: str = "", framework: str = "") -> set[str]:
        """The states of the seams, of one process or framework if given."""
        return {
            seam["state"]
            for seam in self.seams
            if process in {"", seam["process"]} and framework in {"", seam["framework"]}
        }

    def of(self, check: str, state: str = "") -> list[str]:
        """The reasons that a check gave, in one state if given."""
        return [each["reason"] for each in self.checks if each["check"] == check and state in {"", each["state"]}]


def ask(program: Program, *options: str | Path) -> Answer:
    """The doctor's answer; it must be one, whatever it found."""
    done = program.command(SCRIPTS / "agentcop", "doctor", "--policy", "policy.yaml", "-f", "json", *options)
    return read(done)


def read(done: subprocess.CompletedProcess[str]) -> Answer:
    """The answer in a finished process's output."""
    assert "Traceback" not in done.stderr, done.stderr
    said = json.loads(done.stdout)
    assert done.returncode == (0 if said["protected"] else 1)
    return Answer(
        code=done.returncode,
        protected=said["protected"],
        seams=said["seams"],
        checks=said["checks"],
        stderr=done.stderr,
    )


def patient(folder: Path, policy: str = POLICY) -> Program:
    """A folder with a policy; temporary files of what runs there go into its `tmp`."""
    (folder / "tmp").mkdir()
    program = Program(folder=folder, environment={"TMPDIR": str(folder / "tmp")})
    program.file("policy.yaml", policy)
    return program
