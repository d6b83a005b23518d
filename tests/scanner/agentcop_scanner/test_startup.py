from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest

from agentcop_scanner import startup
from agentcop_scanner.startup import startup_scan
from findings import TODAY
from scanning import CLEAN, POOR

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    file = tmp_path / "agent.py"
    file.write_text(POOR, encoding="utf-8")
    return file


def scan(*files: Path, today: date = TODAY) -> startup.StartupResult:
    """As a process of its own does."""
    startup.forget()
    return startup_scan([str(file) for file in files], memory=files[0].parent / "memory", today=today)


def test_what_did_not_change_is_recalled_and_is_the_same(agent: Path) -> None:
    first, second = scan(agent), scan(agent)

    assert (first.remembered, second.remembered) == (False, True)
    assert second.files == first.files
    assert [one.finding.rule for one in second.files[0].findings] == ["AC134"]


def test_a_changed_file_another_day_and_another_scanner_are_scanned_again(
    agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(agent)

    assert not scan(agent, today=date(2026, 11, 28)).remembered
    assert scan(agent, today=date(2026, 11, 28)).remembered
    agent.write_text(CLEAN, encoding="utf-8")
    assert scan(agent).files[0].score == 100
    monkeypatch.setattr(startup, "_stamp", lambda: "another")
    assert not scan(agent).remembered


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"files": [{}]}', "[" * 100_000])
def test_a_memory_that_is_broken_is_written_anew(agent: Path, text: str) -> None:
    scan(agent)
    (entry,) = (agent.parent / "memory").glob("*.json")
    entry.write_text(text, encoding="utf-8")

    assert not scan(agent).remembered
    assert scan(agent).remembered


def test_without_a_memory_it_is_scanned_each_time(agent: Path) -> None:
    (agent.parent / "memory").write_text("a file", encoding="utf-8")

    assert not scan(agent).remembered
    assert scan(agent).files[0].findings


def test_a_file_that_is_gone_has_no_score(agent: Path) -> None:
    assert scan(agent.with_name("absent.py")).files[0].score is None


def test_files_scanned_together_are_remembered_together(agent: Path) -> None:
    other = agent.with_name("other.py")
    other.write_text(CLEAN, encoding="utf-8")

    assert [file.score for file in scan(other, agent).files] == [69, 100]
    assert scan(agent, other).remembered
    assert not scan(agent).remembered


def test_recalling_loads_no_rule_and_no_parser(agent: Path) -> None:
    program = (
        "import sys, datetime, pathlib; from agentcop_scanner.startup import startup_scan\n"
        f"result = startup_scan([{str(agent)!r}], memory=pathlib.Path({str(agent.parent / 'memory')!r}), "
        "today=datetime.date(2026, 11, 27))\n"
        "print(result.remembered, *(name for name in ('agentcop_scanner.rules', 'agentcop_scanner.scan')"
        " if name in sys.modules))"
    )

    def run() -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert run().split()[0] == "False"
    assert run() == "True\n"
