"""docs/doctor.md names each state and each check, as the doctor prints them, and none besides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from agentcop.cli.doctor.checks import CHECKS
from agentcop.cli.doctor.probes.canary import SeamState

PAGE = (Path(__file__).resolve().parents[1] / "docs/doctor.md").read_text(encoding="utf-8")
FIRST_CELLS = re.findall(r"(?m)^\| ([^|]+) \|", PAGE)


def test_the_states_of_a_seam_are_all_explained() -> None:
    assert [cell.strip("`") for cell in FIRST_CELLS if cell.startswith("`")] == list(get_args(SeamState))


def test_the_checks_are_all_explained() -> None:
    names = [check.__module__.rpartition(".")[2].replace("_", ".") for check in CHECKS]
    rows = FIRST_CELLS[FIRST_CELLS.index("check") + 1 :]
    assert [cell.replace("state folder, ", "") for cell in rows] == [*names, "spans"]
