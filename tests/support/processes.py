"""Programs run by an interpreter of their own, with AgentCop's variables as a test wants them and no others."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(sysconfig.get_path("scripts"))

POLICY = "agent_id: armed-agent\nversion: '1'\ngate:\n  allow: [look]\n  block: [shell]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Runs Python programs in `folder`, which is on their import path, with these environment variables added."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def having(self, **variables: str) -> Program:
        """The same with more variables."""
        return Program(folder=self.folder, environment={**self.environment, **variables})

    def file(self, name: str, text: str) -> Path:
        """A file beside the program."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments: str | Path, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
        """The finished process: `python ARGUMENTS`, at most two minutes."""
        return self.command(python, *arguments)

    def command(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """The finished process; commands of this interpreter's environment are found first."""
        environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **self.environment}
        return subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def says(self, code: str, *flags: str) -> list[str]:
        """The words that `code` prints; it must succeed and say nothing on stderr but that it is armed."""
        done = self.run(*flags, "-c", code)
        assert done.returncode == 0, done.stderr
        assert [line for line in done.stderr.splitlines() if not line.startswith("agentcop: armed: ")] == []
        return done.stdout.split()
