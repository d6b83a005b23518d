from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.judging.matching import is_glob, matcher


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("bash", "bash", True),
        ("bash", "bash_session", False),
        ("bash", "Bash", False),
        ("bash", "bash\n", False),
        ("delete_*", "delete_", True),
        ("delete_*", "delete_user", True),
        ("delete_*", "undelete_user", False),
        ("delete_*", "Delete_user", False),
        ("get_?", "get_a", True),
        ("get_?", "get_", False),
        ("[ab]x", "bx", True),
        ("[!ab]x", "bx", False),
        ("*", "any thing\n", True),
        ("a.c", "abc", False),
        ("a|b", "a", False),
        ("**a**", "bab", True),
        ("read(file)", "read(file)", True),
        ("[", "[", True),
        ("^*$", "x", False),
    ],
)
def test_a_pattern_means_the_names_it_says(pattern: str, name: str, expected: bool) -> None:
    assert matcher(pattern)(name) is expected


def test_only_star_question_mark_and_bracket_make_a_glob() -> None:
    assert [text for text in ("a*", "a?", "[a]", "a.b", "a+", "a{1}", "a") if is_glob(text)] == ["a*", "a?", "[a]"]


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_globs_mean_what_fnmatch_means(pattern: str, name: str) -> None:
    expected = fnmatch.fnmatchcase(name, pattern) if is_glob(pattern) else name == pattern

    assert matcher(pattern)(name) is expected


def test_no_name_makes_a_glob_slow() -> None:
    means = matcher("*a" * 60 + "*b" + "*" * 60)
    started = time.process_time()

    for _ in range(20):
        assert not means("a" * 256)

    # Backtracking would take longer than the universe is old; the bound is loose for busy machines.
    assert time.process_time() - started < 5
