"""JSON, YAML and TOML as trees: right places, and bounds on hostile text."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.data.jsonc import read_json
from agentcop_scanner.data.node import DataError, Lines, Node
from agentcop_scanner.data.toml_tree import read_toml
from agentcop_scanner.data.yaml_tree import read_yaml
from agentcop_scanner.finding import Place

Reader = Callable[[str], Node]
READERS: list[Reader] = [read_json, read_yaml, read_toml]


def _where(root: Node, *path: str) -> tuple[int, int]:
    found = root.get(*path)
    assert found is not None
    return found.place.line, found.place.col


def test_json_has_comments_trailing_commas_and_columns() -> None:
    text = '\ufeff{\n  // one\n  "a": {"ü": "x", },  /* two\n*/ "b": [1, {"c": true,},],\n}\n'
    root = read_json(text)
    assert _where(root, "a", "ü") == (3, 14)
    assert _where(root, "b") == (4, 9)
    assert root.text("a", "ü") == "x"


def test_a_key_that_stands_twice_is_kept_twice_and_read_as_the_last() -> None:
    root = read_json('{"command": "safe", "command": "evil"}')
    assert [entry.node.scalar for entry in root.entries] == ["safe", "evil"]
    assert root.text("command") == "evil"


def test_yaml_places_and_words() -> None:
    root = read_yaml("é: &a [1, 'on']\nb: *a\nc:\n  d: on\n  e: 'on'\n")
    assert _where(root, "c", "d") == (4, 6)
    d, e = root.get("c", "d"), root.get("c", "e")
    assert d is not None
    assert e is not None
    assert (d.scalar, e.scalar) == (True, "on")
    assert root.get("b") is root.get("é")


def test_toml_places_also_in_lists_of_tables_and_below_long_strings() -> None:
    root = read_toml('a = """\nb = 1\n"""\n[[t]]\nx = 1\n[[t]]\n  x = 2\n[t.u]\ny = 3\n')
    tables = root.get("t")
    assert tables is not None
    assert [_where(item, "x") for item in tables.items] == [(5, 1), (7, 3)]
    assert _where(tables.items[1], "u", "y") == (9, 1)


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (read_json, "[" * 100_000),
        (read_json, '{"a":' * 100_000),
        (read_json, '{"a" 1}'),
        (read_json, '"\\ud800\\x"'),
        (read_json, "[" + "1," * 300_000 + "1]"),
        (read_json, " " * 3_000_000),
        (read_yaml, "[" * 100_000),
        (read_yaml, "a: \x00"),
        (read_yaml, "a: [b"),
        (read_yaml, "- a\n" * 300_000),
        (read_toml, "a = " + "[" * 100_000),
        (read_toml, "a"),
    ],
)
def test_what_is_malformed_or_over_a_limit_is_refused_in_words(reader: Reader, text: str) -> None:
    with pytest.raises(DataError, match=r"."):
        reader(text)


def test_a_bomb_of_yaml_aliases_stays_small() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert sum(1 for _ in read_yaml("\n".join(lines)).walk()) < 1_000


def test_a_yaml_circle_ends() -> None:
    assert len(list(read_yaml("a: &a [*a, 1]").walk())) == 4


@pytest.mark.parametrize("reader", READERS)
@given(st.text(max_size=300))
def test_any_text_is_a_tree_or_a_data_error(reader: Reader, text: str) -> None:
    try:
        root = reader(text)
    except DataError:
        return
    assert all(node.place.line >= 1 for _, node in root.walk())


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_holds_what_python_wrote_into_it(value: object) -> None:
    def plain(node: Node, model: object) -> object:
        if isinstance(model, dict):
            return {entry.key: plain(entry.node, model[entry.key]) for entry in node.entries}
        if isinstance(model, list):
            return [plain(item, one) for item, one in zip(node.items, model, strict=True)]
        return node.scalar

    assert plain(read_json(json.dumps(value)), value) == value


@given(st.text(alphabet="ab\n\r\u2028\x0c", max_size=60), st.data())
def test_lines_end_where_python_says(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
    if text[at - 1 : at + 1] == "\r\n":
        return
    place = Lines(text).place(at, at)
    assert (place.line, place.col) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_a_place_ends_on_its_last_character() -> None:
    assert Lines("ab\ncd").place(1, 4) == Place(line=1, col=2, end_line=2, end_col=1)
