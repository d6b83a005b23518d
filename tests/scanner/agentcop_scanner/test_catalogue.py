from __future__ import annotations

import re
from pathlib import Path

from agentcop_scanner.catalogue import catalogue
from agentcop_scanner.rules import all_rules

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/rules.md"


def test_the_page_says_what_the_rules_say_today() -> None:
    hint = "write it again: python -m agentcop_scanner.catalogue > docs/reference/rules.md"
    assert PAGE.read_text(encoding="utf-8") == catalogue(), hint


def test_it_has_each_rule_once() -> None:
    assert re.findall(r"(?m)^## (AC\d{3})$", catalogue()) == [rule.id for rule in all_rules()]
