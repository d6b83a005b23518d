"""The reader of the guide finds whole listings and no prose."""

from __future__ import annotations

import ast

import pytest
import yaml

from guide import guide_text, listings, listings_of

TEXT = """Title

A sentence.

bash
# first
one --flag

two

Next heading

python
x = 1

y = 2

Another heading — with prose.

yaml
a: 1

b:
  - c

Closing words

  • a bullet: it is
"""


def test_a_listing_runs_over_blank_lines_to_the_next_prose() -> None:
    assert listings_of(TEXT, "bash") == ["# first\none --flag\n\ntwo\n"]
    assert listings_of(TEXT, "python") == ["x = 1\n\ny = 2\n"]
    assert listings_of(TEXT, "yaml") == ["a: 1\n\nb:\n  - c\n"]


def test_a_heading_without_code_is_an_error_and_not_an_empty_listing() -> None:
    with pytest.raises(ValueError, match="no yaml"):
        listings_of("yaml\nonly words here\n", "yaml")


def test_the_guide_has_one_yaml_one_bash_and_two_python_listings() -> None:
    assert [len(listings("yaml")), len(listings("bash")), len(listings("python"))] == [1, 1, 2]


def test_each_line_of_a_guide_listing_stands_in_the_guide() -> None:
    lines = set(guide_text().splitlines())
    for language in ("python", "yaml", "bash"):
        for listing in listings(language):
            assert set(listing.splitlines()) <= lines


def test_the_guides_listings_end_where_they_should() -> None:
    (policy,) = listings("yaml")
    assert list(yaml.safe_load(policy))[-1] == "sandbox"
    assert all(ast.parse(listing).body for listing in listings("python"))
    assert listings("python")[-1].rstrip().endswith(")")
