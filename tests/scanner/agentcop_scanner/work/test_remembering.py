"""A remembered result is what a new scan would have found, or it is not used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.scan import scan
from agentcop_scanner.work import schedule
from agentcop_scanner.work.closure import imports
from agentcop_scanner.work.tree import Tree
from scan_trees import report_of, written

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_scanner.analysis import Analysis
    from agentcop_scanner.report import Report
    from agentcop_scanner.source.disk.discovery import FoundFile

SAFE = "import shlex\n\ndef line(x):\n    return 'ls ' + shlex.quote(x)\n"
UNSAFE = "import shlex\n\ndef line(x):\n    return 'ls ' + x\n"
TOOL = """
    import os
    from langchain.tools import tool
    from lines import line

    @tool
    def show(name: str) -> None:
        os.system(line(name))
"""


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were scanned anew."""
    names: list[str] = []
    real = Tree.analyse

    def noted(self: Tree, file: FoundFile) -> Analysis:
        names.append(file.path.rpartition("/")[2])
        return real(self, file)

    monkeypatch.setattr(Tree, "analyse", noted)
    return names


def again(folder: Path, cache: Path, analysed: list[str]) -> tuple[Report, list[str]]:
    analysed.clear()
    report = scan([folder], ScanOptions(jobs=1, cache=cache))
    return report, sorted(analysed)


def test_nothing_is_scanned_twice_while_nothing_changes(tmp_path: Path, analysed: list[str]) -> None:
    folder, cache = written(tmp_path / "src", {"a.py": TOOL, "lines.py": UNSAFE, "mcp.json": "{}"}), tmp_path / "cache"

    first, done = again(folder, cache, analysed)
    second, done_again = again(folder, cache, analysed)

    assert (done, done_again) == (["a.py", "lines.py", "mcp.json"], [])
    assert first == second == report_of(folder)


def test_a_change_in_what_a_file_imports_is_a_change_of_the_file(tmp_path: Path, analysed: list[str]) -> None:
    folder, cache = (
        written(tmp_path / "src", {"a.py": TOOL, "lines.py": SAFE, "other.py": "x = 1\n"}),
        tmp_path / "cache",
    )
    before, _ = again(folder, cache, analysed)
    written(folder, {"lines.py": UNSAFE})

    after, done = again(folder, cache, analysed)

    assert done == ["a.py", "lines.py"]
    assert after == report_of(folder)
    assert [len(file.findings) for file in before.files] == [0, 0, 0]
    assert [len(file.findings) for file in after.files] == [1, 0, 0]


def test_a_file_that_an_import_could_not_find_before_is_found(tmp_path: Path, analysed: list[str]) -> None:
    folder, cache = written(tmp_path / "src", {"a.py": TOOL}), tmp_path / "cache"
    again(folder, cache, analysed)
    written(folder, {"lines.py": UNSAFE})

    after, done = again(folder, cache, analysed)

    assert done == ["a.py", "lines.py"]
    assert after == report_of(folder)


def test_files_that_import_each_other_keep_results_of_their_own(tmp_path: Path, analysed: list[str]) -> None:
    files = {"a.py": "import b\nimport os\ndef f(x):\n    os.system('a' + x)\n", "b.py": "import a\n"}
    folder, cache = written(tmp_path / "src", files), tmp_path / "cache"

    first, _ = again(folder, cache, analysed)
    second, done = again(folder, cache, analysed)

    assert done == []
    assert first == second


def test_other_rules_forget_everything(tmp_path: Path, analysed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = written(tmp_path / "src", {"a.py": TOOL}), tmp_path / "cache"
    again(folder, cache, analysed)
    monkeypatch.setattr(schedule, "version", lambda: "other rules")

    _, done = again(folder, cache, analysed)

    assert done == ["a.py"]


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, analysed: list[str], damage: bytes) -> None:
    folder, cache = written(tmp_path / "src", {"a.py": TOOL}), tmp_path / "cache"
    first, _ = again(folder, cache, analysed)
    (cache / "scan.sqlite").write_bytes(damage)

    second, done = again(folder, cache, analysed)
    _, done_again = again(folder, cache, analysed)

    assert (done, done_again) == (["a.py"], [])
    assert first == second


def test_a_cache_that_cannot_be_written_is_said_and_costs_no_finding(tmp_path: Path) -> None:
    folder = written(tmp_path / "src", {"a.py": TOOL, "lines.py": UNSAFE})
    (tmp_path / "cache").write_text("a file, where the folder should be", encoding="utf-8")

    report = scan([folder], ScanOptions(jobs=1, cache=tmp_path / "cache"))

    assert any("the cache in" in note for note in report.notes)
    assert replace(report, notes=()) == report_of(folder)


def test_a_scan_that_failed_is_not_remembered(
    tmp_path: Path, analysed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cache = written(tmp_path / "src", {"a.py": TOOL}), tmp_path / "cache"
    with monkeypatch.context() as patch:
        patch.setattr("agentcop_scanner.analysis.findings", lambda *_: 1 / 0)
        report, _ = again(folder, cache, analysed)
        assert [file.unscored for file in report.files] == ["failed"]

    _, done = again(folder, cache, analysed)

    assert done == ["a.py"]


@pytest.mark.parametrize(
    ("source", "package", "names"),
    [
        (b"import a.b, c as d\n", "", {"a.b", "c", "as", "d"}),
        (b"from a.b import c, d\n", "", {"a.b", "a.b.c", "a.b.d"}),
        (b"from a import (\n  b,\n  c,\n)\n", "", {"a", "a.b", "a.c"}),
        (b"from .b import c\n", "p.q", {"p.q.b", "p.q.b.c"}),
        (b"from . import c\n", "p.q", {"p.q", "p.q.c"}),
        (b"from .. import c\n", "p.q", {"p", "p.c"}),
        (b"x = 1; import a\nif x: import b\n", "", {"a", "b"}),
        (b"from a import \\\n    b\n", "", {"a", "a.b"}),
    ],
)
def test_whatever_a_file_may_import_is_known_without_parsing_it(source: bytes, package: str, names: set[str]) -> None:
    assert names <= imports(source, package)
