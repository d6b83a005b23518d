"""What the page says of rules: the documentation of each that found something, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.formats.page.elements import h
from agentcop_scanner.rule import documentation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentcop_scanner.formats.page.elements import Child, Node
    from agentcop_scanner.formats.view import View
    from agentcop_scanner.rule import Rule

_CODE: Final = re.compile(r"`([^`]+)`")


def rules(view: View) -> Iterator[Node]:
    """A section for each rule with a finding that is shown."""
    used = sorted({one.finding.rule for one in view.findings} & set(view.rules))
    if used:
        yield h("h2", "Rules", id="rules")
    for name in used:
        yield _about(view.rules[name])


def _about(rule: Rule) -> Node:
    doc = documentation(rule)
    tags = [*(f"CWE-{number}" for number in rule.cwe), *(f"ASI{number:02d}" for number in rule.asi)]
    parts: list[Child] = []
    for heading, text in doc.sections.items():
        parts.append(h("h3", heading))
        parts += _paragraphs(text)
    return h(
        "details",
        h("summary", h("b", f"{rule.id} {rule.slug}"), h("span", doc.title, class_="message")),
        h("p", " · ".join([rule.severity, *tags]), class_="muted"),
        parts,
        class_="rule",
        id=f"rule-{rule.id}",
    )


def _paragraphs(text: str) -> Iterator[Node]:
    """Our own documentation: paragraphs, lists, code that is fenced or indented."""
    for block in _blocks(text):
        lines = block.split("\n")
        if block.startswith("```"):
            yield h(
                "pre", "\n".join(line for line in lines if not line.startswith("```")), tabindex=0, aria_label="code"
            )
        elif all(line.startswith("    ") or not line for line in lines):
            yield _pre(line[4:] for line in lines)
        elif lines[0].startswith(("- ", "* ")):
            items = re.split(r"(?m)^[-*] ", block)[1:]
            yield h("ul", (h("li", _spoken(" ".join(item.split()))) for item in items))
        else:
            yield h("p", _spoken(" ".join(block.split())))


def _pre(lines: Iterable[str]) -> Node:
    return h("pre", "\n".join(lines), tabindex=0, aria_label="code")


def _blocks(text: str) -> Iterator[str]:
    """Pieces between blank lines; a fence and what it holds is one, and so is code that is indented."""
    held: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
            if fenced and held:
                yield "\n".join(held)
                held = []
            held.append(line)
            if not fenced:
                yield "\n".join(held)
                held = []
        elif line.strip() or fenced:
            held.append(line)
        elif held:
            if held[-1].startswith("    "):
                held.append("")
                continue
            yield "\n".join(held)
            held = []
    if "".join(held).strip():
        yield "\n".join(held).rstrip()


def _spoken(text: str) -> Iterator[Child]:
    for index, part in enumerate(_CODE.split(text)):
        yield h("code", part) if index % 2 else part
