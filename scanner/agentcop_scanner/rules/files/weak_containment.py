"""A path is compared with its folder as text.

## What it does
Finds paths whose only check is `startswith` on a folder without a separator at its end.

## Why is this bad?
`/data/reports-old/x` begins with `/data/reports` and is not in it. Where the text was not resolved before, `..` and
links lead out as well.

## Example
    if not str(path).startswith(str(root)):
        raise ValueError("outside the folder")

## Use instead
    if not path.resolve().is_relative_to(root):
        raise ValueError("outside the folder")

## References
- https://cwe.mitre.org/data/definitions/22.html
- https://cwe.mitre.org/data/definitions/59.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC123",
    slug="weak-containment",
    severity="MEDIUM",
    cwe=(22, 59),
    asi=(2,),
    doc=__doc__,
    danger="path",
    shares="AC121",
    weak="#prefix",
    whole=at("MEDIUM", "tool endpoint model request upload content public"),
    joined=at("MEDIUM", "tool endpoint model request upload content public"),
    message="{source} chooses the path of {sink}, which was only compared with its folder as text",
    fix="Use is_relative_to on the resolved path.",
)
