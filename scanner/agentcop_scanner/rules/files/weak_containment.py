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

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.callsite import name_words, spelled
from agentcop_scanner.rule import TaintRule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module


_PATHS = frozenset(
    {"path", "filepath", "resolved", "real", "realpath", "abspath", "absolute", "full", "target", "normalized"}
)
_FOLDERS = frozenset(
    {
        "root",
        "base",
        "dir",
        "directory",
        "folder",
        "workspace",
        "allowed",
        "parent",
        "sandbox",
        "home",
        "basedir",
        "prefix",
    }
)


def _check(module: Module) -> Iterator[Finding]:
    for call in module.methods_called.get("startswith", ()):
        func = call.func
        if not isinstance(func, ast.Attribute) or len(call.args) != 1 or module.constant(call.args[0]) is not None:
            continue
        if _spoken(func.value) & _PATHS and _spoken(call.args[0]) & _FOLDERS and not _ended(module, call.args[0]):
            yield module.finding(
                RULE, call, "A path is compared with its folder as text, without a separator at its end."
            )


def _spoken(node: ast.expr) -> frozenset[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        node = node.args[0]
    return name_words(spelled(node))


def _ended(module: Module, node: ast.expr) -> bool:
    """Whether a folder is spelled with a separator at its end, here or where it gets its name."""
    given = [node, *_given(module, node)]
    texts = [ast.unparse(one) for one in given]
    return any("sep" in text for text in texts) or "/" in texts[0] or any(map(_adds_a_separator, given))


def _given(module: Module, node: ast.expr) -> Iterator[ast.expr]:
    """What the function around a name assigns to it."""
    scope = module.function(node)
    if not isinstance(node, ast.Name) or scope is None:
        return
    for found in module.nodes.of(ast.Assign):
        if (
            any(isinstance(to, ast.Name) and to.id == node.id for to in found.targets)
            and module.function(found) is scope
        ):
            yield found.value


def _adds_a_separator(node: ast.expr) -> bool:
    """Whether text is put together here, with a separator last, whichever branch is taken."""
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return any(
        isinstance(part, ast.JoinedStr | ast.BinOp) and ast.unparse(part).rstrip("'\")").endswith("/") for part in parts
    )


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
    also=_check,
    fix="Use is_relative_to on the resolved path.",
)
