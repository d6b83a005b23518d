"""What every format must hold: what it shows, that hostile code stays text, that it is the same each time."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from agentcop_scanner.formats import FORMATS, Format, format_of, render
from agentcop_scanner.formats.as_github import command
from agentcop_scanner.formats.as_markdown import plain
from agentcop_scanner.report import Changes, Drop, FileResult
from agentcop_scanner.trust.demands import Demands
from findings import HOSTILE, file_of, finding, hostile_view, report_of, view_of

MIXED = report_of(
    file_of(finding(line=3), finding("AC134", line=9, severity="LOW")),
    file_of(finding(path="b.py", severity="MEDIUM", confidence="medium"), path="b.py"),
    file_of(path="c.py"),
    FileResult(path="d.py", score=None, unscored="unparsable", problem="line 3: invalid syntax"),
)


def text_of(view: object, style: Format) -> str:
    return "".join(render(view, style))  # type: ignore[arg-type]  # a View


@pytest.mark.parametrize("style", FORMATS)
def test_a_report_is_the_same_each_time_and_names_rule_file_and_line(style: Format) -> None:
    text = text_of(view_of(MIXED), style)

    assert text == text_of(view_of(MIXED), style)
    assert "AC121" in text
    assert "files.py" in text
    assert "d.py" in text


@pytest.mark.parametrize("style", FORMATS)
def test_no_format_lets_through_what_drives_a_terminal_or_hides(style: Format) -> None:
    text = text_of(hostile_view(), style)

    assert [char for char in "\x1b\x00\u202e\u200b" if char in text] == []


@pytest.mark.parametrize("style", FORMATS)
def test_a_scan_without_findings_has_a_report(style: Format) -> None:
    assert text_of(view_of(report_of(file_of())), style)
    assert text_of(view_of(report_of()), style)


@pytest.mark.parametrize(
    ("name", "style"),
    [("report.html", "html"), ("a/b.JSON", "json"), ("x.sarif", "sarif"), ("x.xml", "junit"), ("x.md", "markdown")],
)
def test_a_files_name_says_its_format(name: str, style: Format) -> None:
    assert format_of(name) == style


def test_a_name_that_says_nothing_has_no_format() -> None:
    assert format_of("report.pdf") is None
    assert format_of("html") is None


def test_json_has_findings_files_and_a_summary_that_counts_them() -> None:
    data = json.loads(text_of(view_of(MIXED, demands=Demands(min_score=75, fail_on=("HIGH",))), "json"))

    assert list(data) == ["findings", "files", "summary"]
    first = next(one for one in data["findings"] if one["rule"] == "AC121")
    assert {"rule", "severity", "path", "line", "end_line"} <= set(first)
    assert (first["name"], first["cwe"], first["line"], first["end_line"]) == ("path-traversal", [22], 3, 3)
    summary = data["summary"]
    assert summary["findings"] == len(data["findings"]) == 3
    counts = Counter(one["severity"] for one in data["findings"])
    assert {name: summary[name] for name in ("HIGH", "MEDIUM", "LOW")} == counts
    assert (summary["files"], summary["unscored"], summary["score"], summary["exit_code"]) == (4, 1, 68, 2)
    assert [file["score"] for file in data["files"]] == [68, 94, 100, None]


def test_json_has_the_calculation_of_each_score() -> None:
    file = json.loads(text_of(view_of(MIXED), "json"))["files"][0]

    left = 100.0
    for term in file["calculation"]["terms"]:
        left *= 1 - term["weight"] * term["confidence"] * term["reach"] * term["decay"]
    assert file["score"] == min(round(left), file["calculation"]["cap"])


def test_only_shown_severities_are_listed_and_all_are_counted() -> None:
    view = view_of(MIXED, severities=("CRITICAL", "HIGH"))

    data = json.loads(text_of(view, "json"))
    assert [one["severity"] for one in data["findings"]] == ["HIGH"]
    assert (data["summary"]["findings"], data["summary"]["shown"]) == (3, 1)
    assert "2 findings of other severities not shown" in text_of(view, "text")


def test_text_shows_the_sum_behind_a_score() -> None:
    text = text_of(view_of(MIXED), "text")

    assert "agents/files.py  trust score 68" in text
    assert "100.00  to begin with" in text
    assert "-30.00  AC121 line 3: HIGH 0.3" in text
    assert "d.py  not scored: line 3: invalid syntax" in text
    assert "\x1b" not in text
    assert "\x1b[" in text_of(view_of(MIXED, colour=True), "text")


def test_text_says_new_baselined_and_oldest_in_one_line() -> None:
    changes = Changes(
        since="baseline b.json", new=42, known=51, oldest_days=187, drops=(Drop(path="a.py", before=86, after=39),)
    )

    text = text_of(view_of(replace(MIXED, changes=changes)), "text")

    assert "42 new, 51 baselined, oldest 187 days" in text
    assert "worse: a.py: 86 → 39" in text


def test_junit_counts_failures_errors_and_skipped() -> None:
    known = file_of(finding(path="k.py"), path="k.py")
    known = replace(
        known, findings=tuple(replace(one, status="baselined", reason="2026-05-24") for one in known.findings)
    )
    root = ET.fromstring(text_of(view_of(report_of(*MIXED.files, known)), "junit"))  # noqa: S314 -- our own

    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "3",
        "errors": "1",
        "skipped": "1",
    }
    assert len(root.findall("testsuite/testcase/failure")) == 3


def test_junit_of_hostile_code_is_xml() -> None:
    root = ET.fromstring(text_of(hostile_view(), "junit"))  # noqa: S314 -- our own

    assert root.find("testsuite/testcase/img") is None
    assert "onerror" in (root.find("testsuite/testcase/failure").text or "")  # type: ignore[union-attr]  # it is there


def test_markdown_makes_hostile_text_inert() -> None:
    assert "<img" not in text_of(hostile_view(), "markdown").replace("\\<", "")
    assert plain("[x](https://evil.example) @all `a|b` <b>") == (
        r"\[x\]\(https\:\/\/evil.example\) \@all \`a\|b\` \<b\>".replace(r"\/", "/")
    )


def test_markdown_of_a_large_report_fits_a_comment_and_counts_the_rest() -> None:
    many = report_of(*(file_of(finding(path=f"f{n}.py", message="m" * 400), path=f"f{n}.py") for n in range(500)))

    text = text_of(view_of(many), "markdown")

    assert len(text) < 65_536
    assert "300 more rows" in text


def test_a_workflow_command_cannot_be_ended_or_begun_by_what_it_quotes() -> None:
    text = command("error", "one\n::error::two\r%0A", {"file": "a,b:c\n.py"})

    assert text == "::error file=a%2Cb%3Ac\\n.py::one\\n::error::two\\r%250A\n"
    assert all(line.startswith("::") for line in text_of(hostile_view(), "github").splitlines())


def test_github_shows_the_worst_first_and_says_what_it_will_not_show() -> None:
    many = [finding(line=line, severity="LOW") for line in range(1, 15)]
    view = view_of(report_of(file_of(*many, finding("AC101", line=20, severity="CRITICAL"))))

    lines = text_of(view, "github").splitlines()

    assert re.match(r"::error file=agents/files.py,line=20,endLine=20,col=5,title=CRITICAL AC101::", lines[0])
    assert "4 more in the log" in lines[-1]


def test_hostile_text_is_hostile() -> None:
    assert {"\x1b", "\u202e", "\u200b", "\x00"} <= set(HOSTILE)


def test_what_was_left_out_is_told_by_reason_and_not_by_the_hundred() -> None:
    skipped = tuple((f"p{n}/__pycache__", "holds no source of its own") for n in range(40))
    report = replace(MIXED, skipped=(*skipped, ("link.py", "a link out of the tree")))

    lines = [line for line in text_of(view_of(report), "text").splitlines() if line.startswith("left out")]

    named = "p0/__pycache__, p1/__pycache__, p2/__pycache__ and 37 more, which -f json names"
    assert lines == [f"left out: {named}: holds no source of its own", "left out: link.py: a link out of the tree"]
