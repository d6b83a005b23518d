"""The page of all rules, made of their own documentation.

`python -m agentcop_scanner.catalogue > docs/reference/rules.md` writes it again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agentcop_scanner.rule import documentation
from agentcop_scanner.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.rule import Rule


def catalogue() -> str:
    """Markdown: a table of all rules by id, then each with its sections."""
    rules = all_rules()
    return "\n".join([*_head(rules), *(line for rule in rules for line in _about(rule))]).rstrip() + "\n"


def _head(rules: tuple[Rule, ...]) -> Iterator[str]:
    yield "# Rules of the scanner"
    yield ""
    yield "Made of the rules themselves by `python -m agentcop_scanner.catalogue`; `agentcop rule ID` says the same."
    yield "An id is never used again. ASI numbers are those of OWASP's top ten for agentic applications."
    yield ""
    yield "| id | name | severity | what it finds | CWE | ASI | `--fix` |"
    yield "|---|---|---|---|---|---|---|"
    for rule in rules:
        numbers = ", ".join(map(str, rule.cwe)), ", ".join(f"{number:02d}" for number in rule.asi)
        cells = (_link(rule), rule.slug, rule.severity, _cell(documentation(rule).title), *numbers)
        yield f"| {' | '.join(cells)} | {'yes' if rule.fixable else ''} |"
    yield ""


def _about(rule: Rule) -> Iterator[str]:
    doc = documentation(rule)
    yield f"## {rule.id}"
    yield ""
    yield f"**{rule.slug}**, {rule.severity}, since {rule.stable_since}. {doc.title}"
    yield ""
    for heading, text in doc.sections.items():
        yield f"### {heading}"
        yield ""
        yield text
        yield ""


def _link(rule: Rule) -> str:
    return f"[{rule.id}](#{rule.id.lower()})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(catalogue())
