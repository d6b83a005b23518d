"""Settings that run a repository's scripts, or allow every command.

## What it does
Reports hooks of command-line agents that run a script of the repository or something downloaded, tasks that an editor
starts when the folder is opened, and permissions that allow every command (`Bash(*)`, `"*"`) to an agent or a skill.

## Why is this bad?
Such a file is part of the repository: who opens it runs what the last pull request put there. And a permission for
every command is none: the model, or whoever writes its input, has your shell.

## Example
```json
{"permissions": {"allow": ["Bash(*)"]}}
```

## Use instead
```json
{"permissions": {"allow": ["Bash(npm run test:*)"]}}
```
Let hooks call programs that are installed, and keep machine-wide ones in your own settings, outside the repository.

## References
- CWE-829: https://cwe.mitre.org/data/definitions/829.html
- OWASP Top 10 for Agentic Applications, ASI04 Agentic Supply Chain
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.text.command import fetched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node
    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document

_SCRIPT: Final = re.compile(
    r"(?:^|[\s;&|\"'(])(?:\$\{?CLAUDE_PROJECT_DIR\}?/|\$\{workspace(?:Folder|Root)\}/|\./|\.\\|\.[a-z]{2,20}/"
    r"|[\w-]{1,60}/)[\w./\\-]{1,200}"
    r"|(?:^|[\s;&|])(?:bash|sh|zsh|python3?|node|pwsh|source)\s{1,4}(?!-)[\w-]{1,60}\.(?:sh|py|js|ts|ps1|mjs|cjs)\b"
)
_PROGRAM_PATH: Final = re.compile(r"(?:^|[\s;&|])(?:@[\w-]+/[\w-]+|[\w-]+/[\w.-]+@)")
_ALL_COMMANDS: Final = frozenset(
    {"*", "bash", "bash(*)", "bash(:*)", "bash(*:*)", "shell(*)", "shell", "run_shell_command", "terminal(*)", "*(*)"}
)
_SPLIT: Final = re.compile(r"[,\s]+(?![^(]*\))")


def _check(document: Document) -> Iterator[Finding]:
    for path, node in document.values():
        names = tuple(name.lower() for name in path)
        if document.kind in {"agent", "hooks", "editor"}:
            yield from _hooks(document, names, node)
            yield from _tasks(document, names, node)
        if document.kind in {"agent", "editor", "skill", "instructions", "hooks"}:
            yield from _permissions(document, names, node)


def _hooks(document: Document, names: tuple[str, ...], node: Node) -> Iterator[Finding]:
    command = node.scalar
    in_hooks = "hooks" in names[:-1] or names[-1:] in {("statusline",), ("apikeyhelper",)}
    if (
        not in_hooks
        or not isinstance(command, str)
        or names[-1] not in {"command", "bash", "powershell", "run", "apikeyhelper"}
    ):
        return
    if next(fetched(command), None) is not None:
        yield document.finding(RULE, node, "A hook runs what it downloads.", severity="CRITICAL")
    elif _SCRIPT.search(command) and not _PROGRAM_PATH.search(command):
        message = "A hook runs a script of the repository by itself, without a question."
        yield document.finding(RULE, node, message, function=".".join(names)[-120:])


def _tasks(document: Document, names: tuple[str, ...], node: Node) -> Iterator[Finding]:
    if names[-1:] == ("runon",) and node.scalar == "folderOpen":
        message = "A task runs as soon as somebody opens the folder."
        yield document.finding(RULE, node, message)
    elif names[-1:] == ("task.allowautomatictasks",) and node.scalar in {"on", True}:
        yield document.finding(RULE, node, "Tasks run as soon as somebody opens the folder.")
    elif names[-1:] == ("security.workspace.trust.enabled",) and node.scalar is False:
        yield document.finding(RULE, node, "Every folder is trusted: its tasks and settings run at once.")


def _permissions(document: Document, names: tuple[str, ...], node: Node) -> Iterator[Finding]:
    """Allow lists of agents, `allowed-tools` of skills, `bash: allow` of others."""
    last = names[-1] if names else ""
    given: list[tuple[str, Node]] = []
    if (last == "allow" and "permissions" in names) or last in {"allowedtools", "coretools", "allowed"}:
        given = [(str(item.scalar), item) for item in node.items if isinstance(item.scalar, str)]
    elif last in {"allowed-tools", "allowed_tools", "tools"} and document.kind in {"skill", "instructions"}:
        words = _SPLIT.split(node.scalar) if isinstance(node.scalar, str) else node.strings()
        given = [(word, node) for word in words]
    elif (last in {"bash", "*", "shell"} and "permission" in names[:-1] and node.scalar == "allow") or (
        last in {"*", "bash"} and names[-2:-1] == ("permissions",) and node.scalar in {"allow", True}
    ):
        given = [("*", node)]
    for word, where in given:
        # A bare Bash in a skill names the tool, which still asks; in a list of permissions it allows every command.
        if word.strip().lower() in _ALL_COMMANDS and not (word.strip() == "Bash" and document.prose):
            message = f"Every command is allowed without a question: {word.strip()[:40]}."
            yield document.finding(RULE, where, message, function=".".join(names)[-120:])
            break


RULE = ConfigRule(id="AC216", slug="hooks", severity="HIGH", cwe=(829,), asi=(4,), doc=__doc__, check=_check)
