"""Suppression that says no reason.

## What it does
Reports comments that would silence a finding and do not say which, or why, or until when in a form that can be read:
`# agentcop: ignore` alone. Such a comment silences nothing.

## Why is this bad?
In a year nobody knows whether the finding was looked at or merely in the way. The next person copies the comment.

## Example
```python
subprocess.run(command, shell=True)  # agentcop: ignore
```

## Use instead
```python
subprocess.run(command, shell=True)  # agentcop: ignore[AC111] the command is one of our own three until=2027-06-30
```

## References
- CWE-1116: https://cwe.mitre.org/data/definitions/1116.html
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.trust.suppression import document_suppressions, python_suppressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

_FIX = "Write agentcop: ignore[AC…] and the reason."


def _check(module: Module) -> Iterator[Finding]:
    for found in python_suppressions(module.text):  # in lines of the text: the finding turns them into the file's
        if found.problem:
            at = ast.Constant(value=0, lineno=found.line, col_offset=0, end_lineno=found.line, end_col_offset=0)
            yield module.finding(
                RULE, at, f"This comment silences nothing: {found.problem}.", confidence="high", fix=_FIX
            )


def _check_document(document: Document) -> Iterator[Finding]:
    for found in document_suppressions(document.text):
        if found.problem:
            message = f"This comment silences nothing: {found.problem}."
            yield document.finding(RULE, found.line, message, fix=_FIX)


RULE = ConfigRule(
    id="AC301",
    slug="bare-ignore",
    severity="LOW",
    cwe=(1116,),
    doc=__doc__,
    fixable=True,
    check=_check_document,
    also=_check,
)
