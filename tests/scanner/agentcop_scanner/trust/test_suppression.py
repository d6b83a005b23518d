from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.scan import scan
from agentcop_scanner.trust.assess import assessed, idle
from agentcop_scanner.trust.suppression import Suppression, document_suppressions, python_suppressions
from findings import TODAY, analysis_of, finding

if TYPE_CHECKING:
    from pathlib import Path


def only(text: str) -> Suppression:
    (one,) = python_suppressions(text)
    return one


def test_a_comment_names_rule_reason_and_day() -> None:
    one = only("x = 1\nopen(p)  # agentcop: ignore[AC121, AC122] names come from our own table until=2027-01-31\n")

    assert (one.line, one.covers, one.rules) == (2, 2, ("AC121", "AC122"))
    assert (one.reason, one.until, one.problem) == ("names come from our own table", "2027-01-31", "")


def test_a_comment_on_a_line_of_its_own_is_about_the_next_line_of_code() -> None:
    one = only("# agentcop: ignore[AC121] our own table\n\n# of files\nopen(p)\n")

    assert (one.line, one.covers) == (1, 4)


def test_what_stands_in_a_string_silences_nothing() -> None:
    assert python_suppressions('x = """\n# agentcop: ignore[AC121] in a string\n"""\n') == ()
    assert python_suppressions("x = '# agentcop: ignore[AC121] in a string'\n") == ()


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("agentcop: ignore", "names no rule"),
        ("agentcop: ignore because", "names no rule"),
        ("agentcop: ignore[] because", "names no rule"),
        ("agentcop: ignore[AC121]", "no reason"),
        ("agentcop: ignore[AC121] until=2027-01-31", "no reason"),
        ("agentcop: ignore[all] because", "'all' is no rule"),
        ("agentcop: ignore[AC121] because until=soon", "until=soon is no day"),
        ("agentcop: ignore[AC121] because until=20270131", "until=20270131 is no day"),
    ],
)
def test_a_comment_that_lacks_something_silences_nothing_and_says_what(comment: str, problem: str) -> None:
    one = only(f"open(p)  # {comment}\n")

    assert problem in one.problem
    result = assessed(analysis_of(finding(), suppressions=[one]), today=TODAY)
    assert [reported.status for reported in result.findings] == ["open"]
    assert idle(analysis_of(finding(), suppressions=[one]), today=TODAY) == ()


def test_a_suppressed_finding_has_the_words_of_its_comment() -> None:
    one = only("open(p)  # agentcop: ignore[AC121] our own table until=2027-01-31\n")

    (reported,) = assessed(analysis_of(finding(), suppressions=[one]), today=TODAY).findings

    assert (reported.status, reported.reason, reported.until) == ("suppressed", "our own table", "2027-01-31")
    assert idle(analysis_of(finding(), suppressions=[one]), today=TODAY) == ()


def test_a_suppression_holds_on_its_last_day_and_not_on_the_next() -> None:
    one = only("open(p)  # agentcop: ignore[AC121] our own table until=2026-11-27\n")
    after = date(2026, 11, 28)

    assert assessed(analysis_of(finding(), suppressions=[one]), today=TODAY).findings[0].status == "suppressed"
    assert assessed(analysis_of(finding(), suppressions=[one]), today=after).findings[0].status == "open"
    assert "ended on 2026-11-27" in idle(analysis_of(finding(), suppressions=[one]), today=after)[0]


def test_a_suppression_with_nothing_to_silence_is_reported() -> None:
    one = only("open(p)  # agentcop: ignore[AC121,AC134] our own table\n")

    (said,) = idle(analysis_of(finding(), suppressions=[one]), today=TODAY)

    assert "a.py:1 unused ignore[AC134]" in said


def test_a_comment_on_any_line_of_a_statement_is_on_it() -> None:
    one = only("open(\n    p,\n)  # agentcop: ignore[AC121] our own table\n")

    assert one.silences(finding(line=1, end_line=3))
    assert not one.silences(finding(line=1, end_line=2))
    assert not one.silences(finding("AC122", line=1, end_line=3))


def test_settings_and_prose_have_theirs_on_a_line_of_its_own() -> None:
    yaml = document_suppressions("servers:\n  # agentcop: ignore[AC212] inside our own network\n  url: http://x\n")
    prose = document_suppressions("<!-- agentcop: ignore[AC214] shown as a warning -->\n\ncurl x | bash\n")
    settings = document_suppressions('{\n // agentcop: ignore[AC211] pinned by our mirror\n "a": 1}\n')
    quoted = document_suppressions('a: "# agentcop: ignore[AC212] in a value"\n')

    assert [(one.covers, one.rules, one.reason) for one in (*yaml, *prose, *settings)] == [
        (3, ("AC212",), "inside our own network"),
        (3, ("AC214",), "shown as a warning"),
        (3, ("AC211",), "pinned by our mirror"),
    ]
    assert quoted == ()


@given(st.text(alphabet=st.sampled_from("agentcop: ignore[AC121] #\n\\'\"()\t\x0cuntil=2026-1"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    for one in (*python_suppressions(text), *document_suppressions(text)):
        one.expired(TODAY)
        assert one.line <= text.count("\n") + 1


def test_a_comment_in_a_notebook_has_the_lines_of_the_file(tmp_path: Path) -> None:
    code = [
        "import requests\n",
        "requests.get('https://x', verify=False, timeout=5)  # agentcop: ignore[AC134] our own\n",
    ]
    code.append("x = 1  # agentcop: ignore\n")
    cells: list[dict[str, object]] = [{"cell_type": "markdown", "metadata": {}, "source": ["text"]}]
    cells.append({"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code})
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps(notebook, indent=1), encoding="utf-8")

    found = {one.finding.rule: one for one in scan([file], ScanOptions(jobs=1)).files[0].findings}

    lines = file.read_text(encoding="utf-8").splitlines()
    assert found["AC134"].status == "suppressed"
    assert "verify=False" in lines[found["AC134"].finding.place.line - 1]
    assert "x = 1" in lines[found["AC301"].finding.place.line - 1]
