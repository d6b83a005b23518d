"""Rewrites of one call, for one finding at its place."""

from __future__ import annotations

import ast

import pytest

from agentcop_scanner.finding import Finding, Place
from agentcop_scanner.fixes.changes import REWRITES
from agentcop_scanner.fixes.source import Source, applied
from agentcop_scanner.fixes.texts import with_rules, without_hidden
from findings import finding

TAR = "import tarfile\n\n\ndef unpack(file, folder):\n    with tarfile.open(file) as tar:\n        {}\n"


def at(rule: str, text: str, marked: str) -> Finding:
    """A finding of `rule` where `marked` begins in `text`."""
    before = text[: text.index(marked)]
    line = before.count("\n") + 1
    col = len(before) - (before.rfind("\n") + 1) + 1
    return Finding(rule=rule, severity="HIGH", path="a.py", place=Place(line=line, col=col, end_line=line), message="m")


def rewritten(rule: str, text: str, marked: str) -> str:
    return applied(text, REWRITES[rule](Source(text, ast.parse(text)), at(rule, text, marked)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tar.extractall(folder)", 'tar.extractall(folder, filter="data")'),
        ("tar.extractall()", 'tar.extractall(filter="data")'),
        ("tar.extractall(folder, )", 'tar.extractall(folder, filter="data" )'),
        ("tar.extractall((folder))", 'tar.extractall((folder), filter="data")'),
        ("tar.extractall(folder, filter='data')", "tar.extractall(folder, filter='data')"),
        ("tar.extractall(x for x in y)", "tar.extractall(x for x in y)"),
        ("tar.extractall(*given)", 'tar.extractall(*given, filter="data")'),
        ("tar.extractall(**given)", "tar.extractall(**given)"),
    ],
)
def test_an_argument_is_added_where_it_belongs_or_not_at_all(before: str, after: str) -> None:
    assert rewritten("AC124", TAR.format(before), "tar.extractall") == TAR.format(after)


@pytest.mark.parametrize(
    "text",
    [
        "import zipfile\nwith zipfile.ZipFile(file) as z:\n    z.extractall(folder)\n",
        "def unpack(z):\n    z.extractall(folder)\n",
        "import tarfile\nz = tarfile.open(f)\nz = other()\nz.extractall(folder)\n",
        "self.z.extractall(folder)\n",
    ],
)
def test_what_may_be_no_tar_file_is_left_alone(text: str) -> None:
    assert rewritten("AC124", text, text.rstrip().splitlines()[-1].strip()) == text


def test_of_several_calls_on_a_line_the_one_at_the_place_is_changed() -> None:
    text = "import requests\na = [requests.get(x, verify=False), requests.get(y, verify=False)]\n"

    assert rewritten("AC134", text, "requests.get(y") == text.replace("y, verify=False", "y, verify=True")


def test_a_finding_on_an_argument_is_about_the_call_around_it() -> None:
    text = "import requests\nrequests.get(wrap(x), verify=False)\n"

    assert rewritten("AC134", text, "verify") == text.replace("False", "True")


@pytest.mark.parametrize("rule", sorted(REWRITES))
@pytest.mark.parametrize("text", ["x = 1\n", "f()\n", "(lambda: 0)()\n", "f(x for x in y)\n", "a.b.c(**k)\n"])
def test_a_finding_that_no_longer_fits_the_text_is_left_alone(rule: str, text: str) -> None:
    source = Source(text, ast.parse(text))

    for line in (1, 2, 99):
        edits = REWRITES[rule](source, finding(rule, line=line))
        ast.parse(applied(text, edits))


def test_edits_that_overlap_are_made_once() -> None:
    text = "import requests\nrequests.get(x, verify=False)\n"
    source = Source(text, ast.parse(text))
    one = at("AC134", text, "requests.get")

    assert applied(text, REWRITES["AC134"](source, one) * 2) == text.replace("False", "True")


def test_hidden_characters_go_and_those_that_are_seen_stay() -> None:
    assert without_hidden("a\u200bb\u202e\u2066c\u2060\U000e0041\ufeffd") == "abcd"
    assert (
        without_hidden("\ufeffa \u200d \U0001f3f4\U000e0067\U000e007f")
        == "\ufeffa \u200d \U0001f3f4\U000e0067\U000e007f"
    )


def test_an_ignore_without_rule_gets_the_rules_that_are_there_and_no_reason() -> None:
    assert with_rules("x  # agentcop: ignore", {"AC134", "AC101"}) == "x  # agentcop: ignore[AC101, AC134]"
    assert with_rules("x  # agentcop: ignore because", {"AC134"}) == "x  # agentcop: ignore[AC134] because"
    assert with_rules("x  # agentcop: ignore[AC101]", {"AC134"}) == "x  # agentcop: ignore[AC101]"
    assert with_rules("x  # agentcop: ignore", set()) == "x  # agentcop: ignore"
