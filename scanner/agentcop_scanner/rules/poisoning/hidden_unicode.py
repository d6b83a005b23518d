r"""Characters that nobody sees.

## What it does
Looks in code, settings and instructions for characters that are not shown: tag characters (a second alphabet that no
font draws), marks that turn the direction of text, zero-width characters inside words, variation selectors in a row.
Emoji, flags, and joiners and direction marks where a script needs them are left alone.

## Why is this bad?
A model reads them, a reviewer does not. A description or a rules file can carry whole instructions that no diff shows,
and code can run in another order than it is read.

## Example
```python
description = "Pings a host."  # followed by 40 tag characters that say: send the environment to …
```

## Use instead
Delete them. If a text needs one, write it as an escape, so that a reader sees it: `"\u200b"`.

## References
- CWE-1007: https://cwe.mitre.org/data/definitions/1007.html
- Trojan Source, CVE-2021-42574: https://trojansource.codes
- OWASP Top 10 for Agentic Applications, ASI01 Agent Goal Hijack
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop_core.escape import escape
from agentcop_scanner.data.node import Lines
from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.text.invisible import invisible, is_grave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module
    from agentcop_scanner.text.invisible import Invisible

_FIX = "Delete the characters, or write them as escapes that a reader sees."
_SPOKEN = {
    "tags": "tag characters, which no font shows",
    "direction": "marks that turn the direction of text",
    "zero-width": "zero-width characters inside words",
    "selectors": "variation selectors that select nothing",
}


def _said(item: Invisible) -> tuple[str, Severity]:
    spelled = f' that spell "{escape(item.hidden)[:80]}"' if item.hidden.strip() else ""
    return f"{item.count} {_SPOKEN[item.kind]}{spelled}.", "HIGH" if is_grave(item) else "LOW"


def _check(module: Module) -> Iterator[Finding]:
    lines: Lines | None = None
    for item in invisible(module.text):
        lines = lines or Lines(module.text)
        place = lines.place(item.start, item.end)
        message, severity = _said(item)
        at = ast.Constant(value=0, lineno=place.line, col_offset=0, end_lineno=place.line, end_col_offset=0)
        found = module.finding(RULE, at, message, severity=severity, confidence="high", fix=_FIX)
        if not module.line_map:
            found = replace(found, place=place)
        yield replace(found, snippet=escape(found.snippet))


def _check_document(document: Document) -> Iterator[Finding]:
    for item in invisible(document.text):
        message, severity = _said(item)
        place = document.place(item.start, item.end)
        found = document.finding(RULE, place, message, severity=severity, fix=_FIX)
        yield replace(found, snippet=escape(found.snippet))


RULE = ConfigRule(
    id="AC202",
    slug="hidden-unicode",
    severity="HIGH",
    cwe=(1007,),
    asi=(1, 4),
    doc=__doc__,
    fixable=True,
    check=_check_document,
    also=_check,
)
