"""docs/environment.md names each variable of ours that the sources read, and none that they do not."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
ROOMS = ("instrumentation", "collector_processor", "policies", "detectors", "scanner", "dashboards", "packaging")
TABLED = re.findall(r"(?m)^\| `(\w+)` \|", PAGE)


def _read_by_the_sources() -> set[str]:
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".pth"}]
    return {name for path in sources for name in re.findall(r"AGENTCOP_[A-Z_]+", path.read_text(encoding="utf-8"))}


def test_the_table_has_the_variables_that_the_sources_read() -> None:
    assert sorted(name for name in TABLED if name.startswith("AGENTCOP_")) == sorted(_read_by_the_sources())


def test_no_variable_has_two_rows() -> None:
    assert len(TABLED) == len(set(TABLED))
