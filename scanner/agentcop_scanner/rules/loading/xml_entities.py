"""XML parser that expands entities.

## What it does
Reports lxml parsers that resolve entities, SAX parsers with external entities on, and the standard library's parsers
where they read a text that was handed in: a tool's argument, a model's reply, a request.

## Why is this bad?
An entity can stand for a file of this machine or an address of its network, and lands in what the agent sees. Entities
of entities grow a kilobyte to gigabytes.

## Example
```python
etree.fromstring(text, parser=etree.XMLParser(resolve_entities=True))
```

## Use instead
```python
etree.XMLParser(resolve_entities=False, no_network=True)
```
Or defusedxml, which refuses both.

## References
- CWE-611: https://cwe.mitre.org/data/definitions/611.html
- CWE-776: https://cwe.mitre.org/data/definitions/776.html
- OWASP Top 10 for Agentic Applications, ASI02 Tool Misuse and Exploitation
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_LXML: Final = (
    "lxml.etree.XMLParser",
    "lxml.etree.ETCompatXMLParser",
    "lxml.etree.iterparse",
    "lxml.objectify.makeparser",
)
_STANDARD: Final = tuple(
    sorted(
        words(
            "xml.etree.ElementTree.fromstring xml.etree.ElementTree.XML xml.etree.ElementTree.XMLPullParser"
            " xml.etree.cElementTree.fromstring xml.dom.minidom.parseString xml.sax.parseString"
            " xml.dom.pulldom.parseString"
            " lxml.etree.fromstring lxml.etree.XML"
        )
    )
)
_READS: Final = frozenset({"read", "read_text", "read_bytes", "decode", "strip"})
_FEATURES: Final = ("feature_external_ges", "feature_external_pes")


def _check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*_LXML):
        given = module.argument(call, "resolve_entities")
        value = module.constant(given)
        if given is None or value is True:
            said = "on" if value is True else "not said, and on in older versions"
            message = f"The XML parser resolves entities: resolve_entities is {said}."
            yield module.finding(RULE, call, message, fix="Say resolve_entities=False.")
    for call in module.calls("lxml.etree.parse", "lxml.objectify.parse"):
        if module.argument(call, "parser", 1) is None and not any(item.arg is None for item in call.keywords):
            message = "The file is read with lxml's own parser, which resolves entities."
            yield module.finding(RULE, call, message, fix="Give it a parser with resolve_entities=False.")
    for call in module.methods_called.get("setFeature", ()):
        if len(call.args) > 1 and module.resolve(call.args[0]).endswith(_FEATURES) and module.constant(call.args[1]):
            yield module.finding(RULE, call, "The SAX parser resolves external entities.", confidence="high")
    for call in module.calls(*_STANDARD):
        if _handed_in(module, call):
            message = "Text that was handed in goes to an XML parser that expands entities without limit."
            yield module.finding(RULE, call, message, fix="Parse it with defusedxml.")


def _handed_in(module: Module, call: ast.Call) -> bool:
    """Whether it parses a parameter of a tool, of an endpoint, or of a method that parses a model's output."""
    scope = module.function(call)
    if scope is None or isinstance(scope.node, ast.ClassDef) or module.argument(call, "parser", 1) is not None:
        return False
    owner = scope.owner.node.name if scope.owner else ""
    if module.entry(call) not in {"tool", "endpoint"} and not owner.endswith(("OutputParser", "ResponseParser")):
        return False
    if module.resolve(call.func).endswith("XMLPullParser"):
        return True
    text = call.args[0] if call.args else None
    while isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute) and text.func.attr in _READS:
        text = text.func.value
    arguments = scope.node.args
    names = {arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    return isinstance(text, ast.Name) and text.id in names


RULE = PatternRule(
    id="AC165", slug="xml-entities", severity="MEDIUM", cwe=(611, 776), asi=(2,), doc=__doc__, check=_check
)
