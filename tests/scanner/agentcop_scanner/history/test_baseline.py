from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop_core.errors import ScanError
from agentcop_scanner.history.baseline import Baseline, Comparison, as_baseline, compare
from agentcop_scanner.history.baseline_file import read_baseline, write_baseline
from agentcop_scanner.report import FileResult
from findings import TODAY, file_of, finding, report_of

if TYPE_CHECKING:
    from agentcop_scanner.report import Report

OLD = date(2026, 5, 24)
HEAD = '{"agentcop_baseline": 1, "scores": {}, "findings": ['


def against(report: Report, baseline: Baseline, *still_there: str) -> Comparison:
    return compare(report, baseline, today=TODAY, exists=lambda path: Path(path).name in still_there)


def known(*files: FileResult) -> Baseline:
    return as_baseline(report_of(*files), label="baseline b.json", today=OLD)


def test_what_was_known_is_told_from_what_is_new_with_the_age_of_the_oldest() -> None:
    baseline = known(file_of(finding()))

    changes = against(report_of(file_of(finding(line=7), finding("AC131", line=9))), baseline).report.changes

    assert changes is not None
    assert (changes.new, changes.known, changes.oldest_days, changes.gone) == (1, 1, 187, ())


def test_a_known_finding_is_baselined_since_its_day_and_counts_in_the_score() -> None:
    report = against(report_of(file_of(finding())), known(file_of(finding()))).report

    (one,) = report.files[0].findings
    assert (one.status, one.reason) == ("baselined", "2026-05-24")
    assert report.score == 69


def test_a_second_copy_of_a_known_finding_is_new() -> None:
    report = against(report_of(file_of(finding(), finding(line=5))), known(file_of(finding()))).report

    assert sorted(one.status for one in report.files[0].findings) == ["baselined", "open"]


def test_a_copy_in_another_file_is_new_and_a_renamed_file_brings_nothing_new() -> None:
    baseline = known(file_of(finding()))
    elsewhere = report_of(file_of(finding(path="agents/new.py"), path="agents/new.py"))

    assert against(elsewhere, baseline, "files.py").report.files[0].findings[0].status == "open"
    assert against(elsewhere, baseline).report.files[0].findings[0].status == "baselined"


def test_what_is_no_more_is_said_only_of_files_that_were_read() -> None:
    baseline = known(file_of(finding()), file_of(finding("AC131", path="b.py"), path="b.py"))
    broken = FileResult(path="agents/files.py", score=None, unscored="unparsable", problem="line 1")

    clean = against(report_of(file_of()), baseline, "b.py").report.changes
    unread = against(report_of(broken), baseline, "b.py", "files.py").report.changes
    deleted = against(report_of(file_of()), baseline).report.changes

    assert clean is not None
    assert unread is not None
    assert deleted is not None
    assert clean.gone == (("AC121", "agents/files.py"),)
    assert unread.gone == ()
    assert deleted.gone == (("AC121", "agents/files.py"), ("AC131", "b.py"))


def test_a_file_that_scores_less_than_it_did_is_a_drop() -> None:
    baseline = known(file_of(finding(severity="MEDIUM")))

    report = against(report_of(file_of(finding(severity="MEDIUM"), finding("AC134", severity="LOW"))), baseline).report

    assert report.changes is not None
    assert [(one.path, one.before, one.after) for one in report.changes.drops] == [("agents/files.py", 90, 87)]


def test_a_baseline_written_again_keeps_days_and_what_this_scan_did_not_read(tmp_path: Path) -> None:
    first = known(file_of(finding()), file_of(finding("AC131", path="b.py"), path="b.py"))
    comparison = against(report_of(file_of(finding(), finding("AC134", line=3))), first, "b.py")

    second = as_baseline(comparison.report, label="b", today=TODAY, elsewhere=comparison.elsewhere)

    assert sorted((one.rule, one.since) for one in second.known) == [
        ("AC121", "2026-05-24"),
        ("AC131", "2026-05-24"),
        ("AC134", "2026-11-27"),
    ]
    assert sorted(second.scores) == ["agents/files.py", "b.py"]


def test_a_baseline_file_says_the_same_from_any_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    write_baseline(known(file_of(finding())), Path("b.json"))
    monkeypatch.chdir(tmp_path / "sub")

    baseline = read_baseline(Path("../b.json"))
    report = report_of(file_of(finding(path="../agents/files.py"), path="../agents/files.py"))

    assert [one.path for one in baseline.known] == ["../agents/files.py"]
    assert against(report, baseline).report.files[0].findings[0].status == "baselined"


def test_writing_what_was_read_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = [file_of(finding(path=path), finding("AC131", path=path), path=path) for path in ("b.py", "a.py", "c/d.py")]
    write_baseline(known(*files), Path("one.json"))
    write_baseline(read_baseline(Path("one.json")), Path("two.json"))

    assert Path("two.json").read_bytes() == Path("one.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "two.json"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "--update-baseline writes one"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no baseline"),
        ("{}", "'agentcop_baseline' is missing"),
        ('{"agentcop_baseline": 9, "scores": {}, "findings": []}', "version 9"),
        ('{"agentcop_baseline": 1, "scores": {"a": 101}, "findings": []}', "101 is no score"),
        ('{"agentcop_baseline": 1, "scores": {}, "findings": [7]}', "is no baseline"),
        (
            HEAD + '{"rule": 1, "path": "", "fingerprint": "", "since": ""}]}',
            "are text",
        ),
        (
            HEAD + '{"rule": "AC121", "path": "a", "fingerprint": "0", "since": "soon"}]}',
            "soon",
        ),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_with_the_reason(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "b.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")

    with pytest.raises(ScanError, match=said):
        read_baseline(file)
