"""The tools that are measured: how each is run, and how its report is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanbench.figures import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_LOUD = {"CRITICAL", "HIGH", "MEDIUM"}
_LIMIT = 1800
Report = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Tool:
    """One tool."""

    name: str
    command: list[str]
    """`{path}` is the folder, `{out}` the file for its report."""
    read: Callable[[Report], Iterable[tuple[str, str, str, int, int]]]
    """Rule, severity, path, first and last line of each finding."""
    out: Path
    missing: str = ""
    """Why it cannot run; "" if it can."""
    environment: dict[str, str] = field(default_factory=dict)
    timing: list[str] = field(default_factory=list)
    """The command that times it without its start, cold and warm; empty if there is none."""
    seconds: float = 0.0
    """What all scans took together, its start included."""

    def scan(self, folder: Path) -> list[Found]:
        """What it finds of MEDIUM and up in a folder."""
        started = time.perf_counter()
        self._run(self.command, folder)
        self.seconds += time.perf_counter() - started
        found = self.read(json.loads(self.out.read_text(encoding="utf-8")))
        return [
            Found(rule, _below(path, folder), first, max(first, last))
            for rule, severity, path, first, last in found
            if severity.upper() in _LOUD
        ]

    def _run(self, command: Sequence[str], folder: Path) -> None:
        self.out.unlink(missing_ok=True)
        argv = [part.replace("{path}", str(folder)).replace("{out}", str(self.out)) for part in command]
        done = subprocess.run(  # noqa: S603  # the tools that are compared
            argv,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT,
            env={**os.environ, **self.environment},
        )
        if not self.out.exists():
            self.out.write_text(done.stdout, encoding="utf-8")
        if not self.out.read_text(encoding="utf-8").lstrip().startswith("{"):
            sys.exit(f"{self.name} gave no report: {(done.stderr or done.stdout)[-500:]}")

    def timed(self, folders: Sequence[Path]) -> dict[str, float]:
        """Seconds that it takes without its start: `cold`, and `warm` when nothing has changed; nothing if unknown.

        `cold_processor` and `warm_processor` are those of the processor: on a busy machine the clock tells of others.
        """
        if not self.timing:
            return {}
        cache = str(self.out.with_name("cache"))
        found: dict[str, float] = {}
        for name, remembered in (("cold", ""), ("filling", cache), ("warm", cache)):
            done = subprocess.run(  # noqa: S603  # our own script
                [*self.timing, remembered, *map(str, folders)],
                capture_output=True,
                text=True,
                check=True,
                timeout=_LIMIT,
            )
            found[name], found[f"{name}_processor"] = map(float, done.stdout.split())
        return found


def _below(path: str, folder: Path) -> str:
    return Path(os.path.relpath(Path(path).resolve(), folder)).as_posix()


def _agentcop(report: Report) -> Iterable[tuple[str, str, str, int, int]]:
    for one in report["findings"]:
        yield one["rule"], one["severity"], one["path"], one["line"], one.get("end_line") or one["line"]


def _bandit(report: Report) -> Iterable[tuple[str, str, str, int, int]]:
    for one in report["results"]:
        lines = one["line_range"] or [one["line_number"]]
        yield one["test_id"], one["issue_severity"], one["filename"], min(lines), max(lines)


def _sarif(report: Report) -> Iterable[tuple[str, str, str, int, int]]:
    for run in report["runs"]:
        for one in run.get("results", ()):
            place = one["locations"][0]["physicalLocation"]
            region = place["region"]
            path = place["artifactLocation"]["uri"].removeprefix("file://")
            yield one["ruleId"], "MEDIUM", path, region["startLine"], region.get("endLine", region["startLine"])


def tools(room: Path) -> list[Tool]:
    """All of them; `room` is a folder for their reports."""
    bin_ = Path(sys.executable).parent
    home = {"AGENTCOP_HOME": str(room / "home")}
    scan = [str(bin_ / "agentcop"), "scan", "{path}", "--format", "json", "--quiet", "--jobs", "1"]
    rules = os.environ.get("AGENTCOP_SEMGREP_RULES", "")
    semgrep = [
        str(bin_ / "semgrep"),
        "scan",
        "--metrics=off",
        "--quiet",
        "--config",
        rules,
        "--sarif",
        "--output",
        "{out}",
    ]
    return [
        Tool(
            name="agentcop",
            command=[*scan, "--no-cache"],
            read=_agentcop,
            out=room / "agentcop.json",
            missing=_missing(bin_ / "agentcop"),
            environment=home,
            timing=[sys.executable, str(Path(__file__).with_name("timed.py"))],
        ),
        Tool(
            name="bandit",
            command=[str(bin_ / "bandit"), "-q", "-r", "{path}", "-f", "json", "--ignore-nosec", "-o", "{out}"],
            read=_bandit,
            out=room / "bandit.json",
            missing=_missing(bin_ / "bandit"),
        ),
        Tool(
            name="ruff",
            command=[
                *(str(bin_ / "ruff"), "check", "--isolated", "--no-cache", "--ignore-noqa", "--select", "S"),
                *("--output-format", "sarif", "--exit-zero", "{path}"),
            ],
            read=_sarif,
            out=room / "ruff.json",
            missing=_missing(bin_ / "ruff"),
        ),
        Tool(
            name="semgrep",
            command=[*semgrep, "{path}"],
            read=_sarif,
            out=room / "semgrep.json",
            missing=_missing(bin_ / "semgrep") if rules else "AGENTCOP_SEMGREP_RULES names no folder of rules",
        ),
    ]


def _missing(program: Path) -> str:
    return "" if program.exists() else f"there is no {program.name} beside the interpreter"
