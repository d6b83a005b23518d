"""YAML text becomes marked nodes, within bounds, and what goes wrong is said in a person's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.reading.problems import Problems
from agentcop_policies.reading.tree import plain
from agentcop_policies.reading.yaml_text import MAX_BYTES, decode, parse


def _read(text: str) -> tuple[object, tuple[str, ...]]:
    problems = Problems()
    root = parse(text, "p.yaml", problems)
    return (None if root is None else plain(root)), problems.lines


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: on", "on"),
        ("a: yes", "yes"),
        ("a: 1:30", "1:30"),
        ("a: 2026-01-02", "2026-01-02"),
        ("a: 1_000", "1_000"),
        ("a: true", True),
        ("a: ~", None),
        ("a: 0x10", 16),
        ("a: 0o10", 8),
        ("a: -3", -3),
        ("a: 1e3", 1000.0),
        ('a: "1"', "1"),
        ("a: '*'", "*"),
        ("{a: ${B}}", "${B}"),
        ("{a: ${B:-c d}, b: 1}", "${B:-c d}"),
        ("a: '{${B}}'", "{${B}}"),
    ],
)
def test_scalars_follow_yaml_1_2_and_secrets_may_stand_unquoted(text: str, value: object) -> None:
    read, lines = _read(text)

    assert lines == ()
    assert isinstance(read, dict)
    assert read["a"] == value
    assert type(read["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [*]", 'p.yaml:1:5 a bare * starts a YAML alias: write "*" in quotes'),
        ("a:\n  - *\n", 'p.yaml:2:5 a bare * starts a YAML alias: write "*" in quotes'),
        ("a: *_x", 'p.yaml:1:4 *_x is a YAML alias, and no &_x stands before it: for a glob write "*_x"'),
        ("a: 1\nb: 2\na: 3", 'p.yaml:3:1 duplicate key "a": it stands in line 1 already'),
        ("a: 010", "p.yaml:1:4 010 reads as an octal number in some YAML readers"),
        ("a: .nan", "p.yaml:1:4 .nan is not a finite number"),
        ("a: -.inf", "p.yaml:1:4 -.inf is not a finite number"),
        ("a: 1e999", "p.yaml:1:4 1e999 is not a finite number"),
        ("a: !!python/object:os.system x", "p.yaml:1:4 YAML tags are not read"),
        ("when: !args.done", 'p.yaml:1:7 YAML tags are not read: remove "!args.done", or put the text in quotes'),
        ("<<: {a: 1}", "p.yaml:1:1 merge keys (<<) are not read"),
        ("[a]: 1", "p.yaml:1:1 a key must be plain text"),
        ("", "p.yaml:1:1 the file is empty"),
        ("# only a comment\n", "p.yaml:1:1 the file is empty"),
        ("~", "p.yaml:1:1 the file is empty"),
        ("- a", "p.yaml:1:1 expected a mapping"),
        ("text", "p.yaml:1:1 expected a mapping"),
        ("a: 1\n---\nb: 2", "p.yaml:2:1 a second document starts here"),
        ("a:\n\tb: 1", "p.yaml:2:1 a tab cannot indent YAML"),
        ("{a: ${B}", "p.yaml:1:9 not YAML"),
        ("{a: ${B, c: 1}", 'p.yaml:1:6 "${" is not closed'),
        ("a: b: c", "p.yaml:1:5 not YAML"),
        (
            'a: {when: args.c in ["EUR"]}',
            "p.yaml:1:21 not YAML: while parsing a flow mapping expected ',' or '}', but got '[': put the whole",
        ),
        ("a: \x07", "p.yaml:1:4 the character U+0007 is not allowed in YAML"),
        ("a: \ue000", "p.yaml:1:1 the characters U+E000 and U+E001 are not read"),
        ("a: " + "[" * 100, "p.yaml:1:68 nested more than 64 deep"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, line: str) -> None:
    _, lines = _read(text)

    assert any(found.startswith(line) for found in lines), lines


def test_aliases_are_followed_and_may_not_expand_beyond_bounds() -> None:
    assert _read("a: &x [1, 2]\nb: *x") == ({"a": [1, 2], "b": [1, 2]}, ())

    laughs = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
    for level in range(1, 12):
        laughs += f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n"
    read, lines = _read(laughs)

    assert read is None
    assert "values once its aliases are written out" in lines[0]


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    _, lines = _read("a: &x [*x]")

    assert lines[0].startswith("p.yaml:1:8 *x is a YAML alias, and no &x stands before it")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a: 1\nb: \xff", "p.yaml:2:4 not UTF-8: save the file as UTF-8 text"),
        ("a: 1".encode("utf-16"), "p.yaml:1:1 not UTF-8: save the file as UTF-8 text"),
        (b"a" * (MAX_BYTES + 1), f"p.yaml:1:1 the file is larger than {MAX_BYTES} bytes"),
    ],
)
def test_bytes_that_are_no_text_have_a_place(data: bytes, line: str) -> None:
    problems = Problems()

    assert decode(data, "p.yaml", problems) is None
    assert problems.lines == (line,)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert decode("\ufeffa: 1".encode(), "p.yaml", Problems()) == "a: 1"


@given(st.text(max_size=200) | st.text(alphabet="ab:-*&!|>{}[],'\"# \n\t${}?%@", max_size=60))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    problems = Problems()

    root = parse(text, "p.yaml", problems)

    assert root is not None or problems
