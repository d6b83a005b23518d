"""Agents and trees to scan, and the scanner run on them."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from agentcop.cli import main
from agentcop_scanner.options import ScanOptions
from agentcop_scanner.scan import scan as scan_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.testing import Result

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.report import Report

CLEAN = '''\
"""An agent's tool with nothing wrong in it."""


def add(one: int, other: int) -> int:
    return one + other
'''
POOR = """\
import requests


def fetch() -> str:
    return requests.get("https://api.example/x", verify=False, timeout=5).text
"""
"""One HIGH finding of high confidence, on line 5."""
MEDIUM = """\
from transformers import AutoModel

model = AutoModel.from_pretrained("owner/name", trust_remote_code=True)
"""
"""One MEDIUM finding."""
BROKEN = "def (\n"


def write(**files: str) -> None:
    """Files under `agents/` of the working folder; `__` is a slash."""
    for name, text in files.items():
        path = Path("agents", *name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def scan(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scan", *arguments], catch_exceptions=False)


def git(*arguments: str) -> str:
    """Git in the working folder, with an author and no settings of this machine."""
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *settings, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """The folder, with these files in it, each dedented."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def report_of(folder: Path, **options: object) -> Report:
    """The report on a folder, made in this process unless told otherwise."""
    return scan_paths([folder], ScanOptions(**{"jobs": 1, **options}))  # type: ignore[arg-type]  # the test knows the options


def findings_in(folder: Path, *rules: str) -> list[Finding]:
    """What these rules find in a folder."""
    found = [one.finding for file in report_of(folder).files for one in file.findings]
    return [finding for finding in found if not rules or finding.rule in rules]


def found_at(folder: Path, *rules: str) -> list[tuple[str, str, int]]:
    """Rule, file name and line of what these rules find in a folder."""
    return [(one.rule, one.path.rpartition("/")[2], one.place.line) for one in findings_in(folder, *rules)]
