"""A file tool is given the whole disk.

## What it does
Finds ready-made file tools without a folder of their own, or with `/`, `~` or the home folder as it:
`FileManagementToolkit()`, `FileTools(base_dir="/")`, file-system servers.

## Why is this bad?
The tool reads keys and history, and overwrites start-up files and the agent's own code. What it may do is up to
whatever text the model has read.

## Example
    toolkit = FileManagementToolkit()

## Use instead
    toolkit = FileManagementToolkit(root_dir="/srv/agent/files", selected_tools=["read_file", "list_directory"])

## References
- https://cwe.mitre.org/data/definitions/552.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.python.tools import last

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_KITS = {
    "FileManagementToolkit": "root_dir",
    "ReadFileTool": "root_dir",
    "WriteFileTool": "root_dir",
    "CopyFileTool": "root_dir",
    "DeleteFileTool": "root_dir",
    "MoveFileTool": "root_dir",
    "ListDirectoryTool": "root_dir",
    "FileTools": "base_dir",
    "DirectoryReadTool": "directory",
    "LocalFileSystem": "root",
}
_HOMES = ("langchain", "agno", "phi", "crewai", "llama_index")
_TOO_MUCH = frozenset({"/", "~", "~/", "/home", "/root", "C:\\\\", "C:/"})


def _check(module: Module) -> Iterator[Finding]:
    for name, calls in module.called.items():
        keyword = _KITS.get(last(name))
        if keyword is None or not name.partition(".")[0].startswith(_HOMES):
            continue
        for call in calls:
            given = module.argument(call, keyword, 0)
            if given is None and not call.keywords:
                yield module.finding(RULE, call, f"{last(name)} is given no folder: it has the whole disk.")
            elif given is not None and _is_too_much(module, given):
                yield module.finding(RULE, call, f"{last(name)} is given the whole disk or home.", confidence="high")


def _is_too_much(module: Module, given: ast.expr) -> bool:
    if isinstance(given, ast.Call):
        return module.resolve(given.func) in {"pathlib.Path.home", "os.path.expanduser"}
    return module.constant(given) in _TOO_MUCH


RULE = PatternRule(
    id="AC125",
    slug="unscoped-file-tool",
    severity="HIGH",
    cwe=(552,),
    asi=(2, 3),
    doc=__doc__,
    check=_check,
)
