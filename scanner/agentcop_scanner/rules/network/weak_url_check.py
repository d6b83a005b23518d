"""An address is compared as text.

## What it does
Finds addresses that are allowed by how their text begins or ends, or by a word in it, instead of by their parsed
host.

## Why is this bad?
`https://api.example.com.evil.org` begins with `https://api.example.com`; `https://evil.org/?x=example.com` has the
word in it; `https://good@evil.org` has the host after the `@`.

## Example
    if not url.startswith("https://api.example.com"):
        raise ValueError("not allowed")

## Use instead
    if urlsplit(url).hostname != "api.example.com":
        raise ValueError("not allowed")

## References
- https://cwe.mitre.org/data/definitions/20.html
- https://cwe.mitre.org/data/definitions/1289.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC132",
    slug="weak-url-check",
    severity="HIGH",
    cwe=(20, 1289),
    asi=(2,),
    doc=__doc__,
    danger="url",
    shares="AC131",
    weak="#prefix",
    whole=at("HIGH", "tool endpoint model request content upload public"),
    joined=at("HIGH", "tool endpoint model request content upload public"),
    message="{source} chooses the address that {sink} fetches, which was only compared as text",
    fix="Compare the hostname of the parsed address.",
)
