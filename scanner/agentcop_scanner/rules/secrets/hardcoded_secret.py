"""Secret written into code, prompt or settings.

## What it does
Looks for keys, tokens and passwords in Python source (strings, docstrings, prompts, comments), in settings and in
instructions: by their shape (`sk-…`, `ghp_…`, `AKIA…`, a private key's block, a password in an address), and by the
name that a random-looking value stands under. Placeholders, references to a secret store and published examples are
left alone. A finding names the kind and the place, never the secret.

## Why is this bad?
What is in the source is in every clone, build, log and crash report of it. What is in a prompt or a docstring of a tool
is also sent to the model's provider with each request, and anybody who can talk to the agent can ask it for the text.

## Example
```python
client = OpenAI(api_key="sk-proj-…")
```

## Use instead
```python
client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
```
Then revoke the old key: removing it from the file does not take it back.

## References
- CWE-798: https://cwe.mitre.org/data/definitions/798.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop_core.redact.secrets import marker
from agentcop_scanner.data.node import Lines
from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.settings.secrets import named_values, servers_secrets
from agentcop_scanner.text.secret import is_secret_value, typed_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding, Place
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

_FIX = "Read it from the environment or a secret store, and revoke the one that was written here."
_ENV = frozenset({"os.getenv", "os.environ.get", "os.environ.setdefault", "environ.get", "getenv"})
_ASSIGNED = re.compile(r"\b([A-Za-z][A-Za-z0-9_]{2,60})=([^\s\"'`]{8,256}+)")


def _check(module: Module) -> Iterator[Finding]:
    lines = Lines(module.text)
    told: set[int] = set()
    for secret in typed_secrets(module.text):
        place = lines.place(secret.start, secret.end)
        told.update(range(place.line, max(place.line, place.end_line) + 1))
        at = ast.Constant(value=0, lineno=place.line, col_offset=0, end_lineno=place.end_line, end_col_offset=0)
        found = module.finding(
            RULE, at, f"{_article(secret.kind)} is written into the code.", confidence="high", fix=_FIX
        )
        mapped = replace(place, line=found.place.line, end_line=found.place.end_line) if module.line_map else place
        yield replace(found, place=mapped, snippet=_hidden(found.snippet, module.text[secret.start : secret.end]))
    for name, value in _named(module):
        text = value.value
        if isinstance(text, str) and value.lineno not in told and is_secret_value(name, text):
            told.add(value.lineno)
            message = f'The value of "{name[:60]}" looks like a real secret.'
            found = module.finding(RULE, value, message, confidence="medium", fix=_FIX)
            yield replace(found, snippet=_hidden(found.snippet, text))


def _article(kind: str) -> str:
    return f"{'An' if kind[0] in 'AEIOU' else 'A'} {kind}"


def _hidden(snippet: str, secret: str) -> str:
    """The snippet without the secret, also where only a part of it is shown."""
    for line in secret.split("\n"):
        if len(line) > 3:  # noqa: PLR2004  # a brace or a quote is no part of a secret
            snippet = snippet.replace(line, marker("secret"))
    return snippet


def _named(module: Module) -> Iterator[tuple[str, ast.Constant]]:
    """Literal texts with the name that they stand under."""
    for node in module.nodes.of(ast.Assign):
        for target in node.targets:
            yield from _texts(_target(target), node.value)
    for annotated in module.nodes.of(ast.AnnAssign):
        yield from _texts(_target(annotated.target), annotated.value)
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            yield from _texts(keyword.arg or "", keyword.value)
        if len(call.args) > 1 and module.resolve(call.func) in _ENV and isinstance(call.args[0], ast.Constant):
            yield from _texts(str(call.args[0].value), call.args[1])
    yield from _keyed(module)
    yield from _defaults(module)


def _keyed(module: Module) -> Iterator[tuple[str, ast.Constant]]:
    for mapping in module.nodes.of(ast.Dict):
        for key, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _texts(key.value, value)


def _defaults(module: Module) -> Iterator[tuple[str, ast.Constant]]:
    for arguments in module.nodes.of(ast.arguments):
        positional = [*arguments.posonlyargs, *arguments.args]
        for arg, default in zip(
            positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True
        ):
            yield from _texts(arg.arg, default)
        for arg, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            yield from _texts(arg.arg, given)


def _texts(name: str, value: ast.expr | None) -> Iterator[tuple[str, ast.Constant]]:
    options = value.values if isinstance(value, ast.BoolOp) else [value]
    for option in options:
        if name and isinstance(option, ast.Constant) and isinstance(option.value, str):
            yield name, option


def _target(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return ""


def _check_document(document: Document) -> Iterator[Finding]:
    servers = {line for place, _ in servers_secrets(document) for line in range(place.line, place.end_line + 1)}
    told: set[int] = set()
    for secret in typed_secrets(document.text):
        place = document.place(secret.start, secret.end)
        if place.line in servers:
            continue
        told.add(place.line)
        found = document.finding(RULE, place, f"{_article(secret.kind)} is written into this file.", fix=_FIX)
        yield replace(found, snippet=_hidden(found.snippet, document.text[secret.start : secret.end]))
    for name, value, place in [*named_values(document), *_assigned(document)]:
        if place.line in told or place.line in servers or not is_secret_value(name, value):
            continue
        told.add(place.line)
        message = f'The value of "{name[:60]}" looks like a real secret.'
        found = document.finding(RULE, place, message, confidence="medium", fix=_FIX)
        yield replace(found, snippet=_hidden(found.snippet, value))


def _assigned(document: Document) -> Iterator[tuple[str, str, Place]]:
    """`NAME=value` in prose and in commands."""
    if document.prose or document.kind in {"compose", "hooks"}:
        for found in _ASSIGNED.finditer(document.text):
            yield found[1], found[2], document.place(found.start(2), found.end(2))


RULE = ConfigRule(
    id="AC171",
    slug="hardcoded-secret",
    severity="HIGH",
    cwe=(798,),
    asi=(3,),
    doc=__doc__,
    check=_check_document,
    also=_check,
)
