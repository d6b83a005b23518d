"""Agents to scan, and `agentcop scan` run on them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from agentcop.cli import main

if TYPE_CHECKING:
    from click.testing import Result

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
