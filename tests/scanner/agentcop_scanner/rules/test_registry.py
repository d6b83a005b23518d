"""A rule is added by adding its file."""

from __future__ import annotations

import re
from pathlib import Path

import agentcop_scanner.rules as package
from agentcop_scanner.rule import DANGERS, TaintRule
from agentcop_scanner.rules import FAMILIES, all_rules, rule, version

FOLDER = Path(package.__file__).parent


def test_every_file_in_a_family_is_a_rule_and_every_folder_is_a_family() -> None:
    slugs = {path.stem.replace("_", "-") for path in FOLDER.glob("*/*.py") if not path.stem.startswith("_")}

    assert {one.slug for one in all_rules()} == slugs
    assert {path.parent.name for path in FOLDER.glob("*/__init__.py")} == set(FAMILIES)


def test_ids_are_unique_and_in_order() -> None:
    ids = [one.id for one in all_rules()]

    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"AC\d{3}", name) for name in ids)


def test_a_rule_is_found_by_id_and_by_slug_in_any_case() -> None:
    assert rule("ac121") is rule("Path-Traversal") is rule(" AC121 ")
    assert rule("AC999") is None


def test_rules_that_share_sinks_share_them_with_a_rule_that_has_some() -> None:
    taint = {one.id: one for one in all_rules() if isinstance(one, TaintRule)}

    for one in taint.values():
        assert one.danger in DANGERS
        if one.shares:
            assert taint[one.shares].sinks
            assert taint[one.shares].danger == one.danger
        assert "{source}" in one.message
        assert "{sink}" in one.message


def test_the_version_is_that_of_the_source() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", version())
