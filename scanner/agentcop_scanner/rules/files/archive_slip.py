"""An archive is unpacked wherever its own names say.

## What it does
Finds `extractall` and `extract` of tar archives without `filter="data"` where the members were not looked at
before, or not with all that they may lead to (MEDIUM), and `shutil.unpack_archive` of a tar without a filter.

## Why is this bad?
A member may be named `../../.ssh/authorized_keys`, or be a link that the next member is written through. The
archive then writes anywhere the process can.

## Example
    with tarfile.open(bundle) as archive:
        archive.extractall(folder)

## Use instead
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")

## References
- https://docs.python.org/3/library/tarfile.html#extraction-filters
- https://cwe.mitre.org/data/definitions/22.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.rules.files._archives import in_zip_branch, members_checked, opened_archives, opens_tar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_SAFE = frozenset({"data", "tar"})
_EXTRACTS = ("extractall", "extract")


def _check(module: Module) -> Iterator[Finding]:
    opened = opened_archives(module)
    for name in _EXTRACTS:
        for call in module.methods_called.get(name, ()):
            if not opens_tar(module, call, opened) or _is_safe(module, call) or in_zip_branch(module, call):
                continue
            checked = members_checked(module, call)
            if checked == "not":
                yield module.finding(
                    RULE, call, f"{name} writes wherever the archive's own names say.", fix='Give filter="data".'
                )
            elif checked == "weakly":
                yield module.finding(
                    RULE,
                    call,
                    f"{name} writes where the archive's own names say, and what was looked at before can be got round.",
                    severity="MEDIUM",
                    confidence="medium",
                    fix='Give filter="data".',
                )


def _is_safe(module: Module, call: ast.Call) -> bool:
    given = module.argument(call, "filter")
    if given is None:
        return _given_with_others(module, call)
    return module.constant(given) in _SAFE or not isinstance(given, ast.Constant)


def _given_with_others(module: Module, call: ast.Call) -> bool:
    """Whether a filter may be among options that are put together before: `**options`."""
    scope = module.function(call)
    if scope is None or all(keyword.arg is not None for keyword in call.keywords):
        return False
    return any(isinstance(node, ast.Constant) and node.value == "filter" for node in ast.walk(scope.node))


RULE = PatternRule(
    id="AC124",
    slug="archive-slip",
    severity="HIGH",
    cwe=(22,),
    asi=(2, 4),
    doc=__doc__,
    check=_check,
    fixable=True,
)
