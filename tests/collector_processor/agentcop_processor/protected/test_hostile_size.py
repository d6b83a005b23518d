"""A text that is long or intricate for its own sake neither slips through the protection nor holds the process up."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.protected import words
from protecting import RAN, Machine, machine

if TYPE_CHECKING:
    from pathlib import Path

_HANG = """
import sys
from agentcop_processor.protected.words import words_of
try:
    list(words_of(TEXT, {"policy.yaml"}, spans=True))
except ValueError as error:
    print(error)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    RAN.clear()
    return machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "path",
    [
        "/" * 5_000 + "{policy}",
        "/" + "./" * 3_000 + "{policy}",
        "cat " + "/" * 5_000 + "{policy}",
        "/" + "x/../" * 2_000 + "{policy}",
        "/" + "x/../" * 20_000 + "{policy}",
        "/" + "y" * 5_000 + "/..{policy}",
        "/proc/self/root" + "/tmp/.." * 1_000 + "{policy}",
        "file://{policy}?" + "a" * 5_000,
        "{policy}#" + "a" * 5_000,
        "./" * 2_030 + "../../conf/policy.yaml",
    ],
    ids=lambda path: f"{path[:12]}...{len(path)}",
)
def test_a_path_longer_than_any_file_system_takes_is_refused_as_the_one_that_tools_make_of_it(
    here: Machine, path: str
) -> None:
    assert here.refuses(here.filled(path))


@pytest.mark.parametrize("text", ["x/" * 3_000, "a/b/.." * 20_000 + "q" * 5_000, "word " * 10_000 + "and/or .."])
def test_a_long_text_that_leads_nowhere_passes(here: Machine, text: str) -> None:
    assert not here.refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        '"{" + "," * 500_000',
        '"{" + "." * 500_000',
        '"${a" * 250_000',
        '"${" + "a" * 500_000',
        '"$(" * 250_000 + ")" * 250_000',
        '"`$(" * 200_000 + ")" * 200_000',
        '"{a,{" * 150_000 + "},}" * 150_000',
    ],
)
def test_no_text_takes_longer_than_its_length(text: str) -> None:
    # Each took the square of its length: a megabyte of it held the process for hours.
    done = subprocess.run([sys.executable, "-c", _HANG.replace("TEXT", text)], check=True, timeout=120)
    assert done.returncode == 0


def test_variables_that_stand_for_more_than_memory_holds_are_refused(
    here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARGE", "x" * 100_000)
    assert here.refuses("$LARGE " * 100_000)


def test_what_a_shell_computes_is_refused_where_it_is_nested_too_deep_to_be_seen_through(
    here: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    deep = "$(echo " * 100 + "x" + ")" * 100
    assert here.refuses(f"cat {deep}")
    assert [record.message for record in caplog.records if record.exc_info] == [], "a text is no fault of ours"
    with pytest.raises(words.TooIntricateError):
        list(words.words_of(deep, set(), spans=False))


def test_a_variable_after_the_last_brace_is_filled_as_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "/there")
    assert (
        words.filled("${WHERE}/a $WHERE/b ${WHERE:-x}/c ${WHERE $WHERE") == "/there/a /there/b /there/c ${WHERE /there"
    )
