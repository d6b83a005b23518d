"""Text from outside is the template of str.format.

## What it does
Follows text that becomes the template of `str.format` or `format_map`, not a value in it.

## Why is this bad?
A field of a template may read attributes: `{config.__init__.__globals__[SECRET]}`. Whoever writes the template
reads what the arguments lead to.

## Example
    def greet(template: str, user: User) -> str:
        return template.format(user=user)

## Use instead
    def greet(template: str, user: User) -> str:
        return string.Template(template).safe_substitute(name=user.name)

## References
- https://cwe.mitre.org/data/definitions/134.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC155",
    slug="format-template",
    severity="MEDIUM",
    cwe=(134,),
    asi=(1,),
    doc=__doc__,
    danger="format",
    sinks=(Sink(calls=(".format", ".format_map"), args=(-1,)),),
    whole=at("MEDIUM", "tool endpoint model request"),
    joined={},
    message="{source} is the template of {sink}",
    fix="Use string.Template, or give the template nothing but plain text.",
)
