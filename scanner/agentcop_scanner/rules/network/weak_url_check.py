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

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.callsite import name_words, spelled
from agentcop_scanner.rule import TaintRule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module


_ADDRESSES = frozenset({"url", "uri", "urls", "href", "link", "origin", "referer", "endpoint"})
_ALLOWED = frozenset(
    {"allowed", "allow", "prefix", "prefixes", "whitelist", "allowlist", "trusted", "permitted", "domain"}
)
_HOSTS = frozenset({"host", "hostname", "netloc", "domain"})
_SCHEME_AND_HOST = 2


def _check(module: Module) -> Iterator[Finding]:
    for call in module.methods_called.get("startswith", ()):
        if _begins_like_an_allowed_one(module, call):
            yield module.finding(RULE, call, "An address is allowed by how its text begins, whatever its host is.")
    for call in module.methods_called.get("endswith", ()):
        if _ends_like_a_host(module, call):
            yield module.finding(RULE, call, "A host is allowed by how it ends, without a dot before it.")
    for node in module.nodes.of(ast.Compare):
        if _holds_a_host(module, node):
            yield module.finding(RULE, node, "An address is allowed by a word that stands somewhere in it.")


def _receiver(call: ast.Call) -> frozenset[str]:
    return name_words(spelled(call.func).rpartition(".")[0])


def _begins_like_an_allowed_one(module: Module, call: ast.Call) -> bool:
    if not _receiver(call) & _ADDRESSES or not call.args:
        return False
    text = module.constant(call.args[0])
    if isinstance(text, str):
        parts = text.split("://")
        return len(parts) == _SCHEME_AND_HOST and "." in parts[1] and "/" not in parts[1]
    return bool(name_words(spelled(call.args[0])) & _ALLOWED)


def _ends_like_a_host(module: Module, call: ast.Call) -> bool:
    text = module.constant(call.args[0]) if call.args else None
    if not _receiver(call) & _HOSTS or not isinstance(text, str):
        return False
    return "." in text and not text.startswith(".") and "/" not in text


def _holds_a_host(module: Module, node: ast.Compare) -> bool:
    if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In):
        return False
    text, where = module.constant(node.left), name_words(spelled(node.comparators[0]))
    if not where & {"url", "uri"} or not isinstance(text, str):
        return False
    name, dot, end = text.rpartition(".")
    return (
        bool(dot)
        and name.replace(".", "").replace("-", "").isalnum()
        and end in {"com", "org", "net", "io", "ai", "dev"}
    )


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
    also=_check,
    message="{source} chooses the address that {sink} fetches, which was only compared as text",
    fix="Compare the hostname of the parsed address.",
)
