"""Sandbox that is off, or that has the key to its own door.

## What it does
Reports containers that get the Docker socket, all privileges or the machine's whole disk, agents whose sandbox is
switched off, and security profiles that are disabled: in compose files, in the commands of MCP servers, in settings of
agents, and in calls of the Docker SDK.

## Why is this bad?
A container with the socket or with all privileges is root on the machine. What was meant to hold an agent's code holds
nothing.

## Example
```yaml
services:
  agent:
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
```

## Use instead
Give the container what it needs: a volume of its own, no network, `cap_drop: [ALL]`, `read_only: true`. Where an agent
must start containers, let a service outside do it on request.

## References
- CWE-250: https://cwe.mitre.org/data/definitions/250.html
- OWASP Top 10 for Agentic Applications, ASI05 Unexpected Code Execution
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node
    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

_SOCKETS: Final = ("docker.sock", "podman.sock", "containerd.sock", "crio.sock")
_MOUNTED: Final = re.compile(
    r"(?:^|[=,\s])(?:/var)?/run/(?:docker|podman/podman|containerd/containerd|crio/crio)\.sock(?::|,|$)"
)
_ROOT: Final = re.compile(r"^/:/")
_CAPABILITIES: Final = words("SYS_ADMIN ALL SYS_PTRACE SYS_MODULE CAP_SYS_ADMIN")
_UNCONFINED: Final = re.compile(r"(?:seccomp|apparmor|label)[:=](?:unconfined|disable)")
_OPTIONS: Final = words("--privileged --cap-add=ALL --cap-add=SYS_ADMIN --pid=host --userns=host")
_MOUNTS: Final = frozenset({"volumes", "mounts", "binds", "args", "runargs", "command"})


def _check(document: Document) -> Iterator[Finding]:
    for path, node in document.values():
        name = path[-1].lower() if path else ""
        said = _switch(name, path, node) or _mount(name, node) or _option(name, node)
        if said:
            yield document.finding(RULE, node, said, function=".".join(path)[-120:])


def _switch(name: str, path: tuple[str, ...], node: Node) -> str:
    if name == "privileged" and node.scalar is True:
        return "The container has all privileges."
    if name == "sandbox_mode" and node.scalar == "danger-full-access":
        return "The agent's sandbox is off: sandbox_mode is danger-full-access."
    if name == "enabled" and node.scalar is False and path[-2:-1] == ("sandbox",):
        return "The agent's sandbox is off."
    if name in {"dangerouslydisablesandbox", "allowunsandboxedcommands", "disable_sandbox"} and node.scalar is True:
        return f"The agent's sandbox can be left: {path[-1]} is on."
    return _loosened(name, node)


def _loosened(name: str, node: Node) -> str:
    if name == "cap_add" and any(item.removeprefix("CAP_") in _CAPABILITIES for item in node.strings()):
        return "The container may do what root may: cap_add."
    if name == "security_opt" and any(_UNCONFINED.search(item) for item in node.strings()):
        return "The container's security profile is switched off."
    return ""


def _mount(name: str, node: Node) -> str:
    """A string of a list of mounts, or the long form of one."""
    if name == "source" and isinstance(node.scalar, str) and (node.scalar == "/" or node.scalar.endswith(_SOCKETS)):
        return "The machine's whole disk is mounted." if node.scalar == "/" else "The container gets the Docker socket."
    if name in _MOUNTS and isinstance(node.scalar, str):
        if _MOUNTED.search(node.scalar):
            return "The container gets the Docker socket."
        if _ROOT.match(node.scalar):
            return "The machine's whole disk is mounted."
    return ""


def _option(name: str, node: Node) -> str:
    if name in {"args", "command", "runargs", "options"} and isinstance(node.scalar, str):
        given = _OPTIONS & set(node.scalar.split())
        if given:
            return f"The container is no sandbox: {min(given)}."
    return ""


def _check_module(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            if keyword.arg == "privileged" and module.constant(keyword.value) is True:
                yield module.finding(RULE, call, "The container has all privileges.", confidence="high")
            elif keyword.arg in {"volumes", "binds", "mounts", "extra_volumes"} and _holds_socket(keyword.value):
                yield module.finding(RULE, call, "The container gets the Docker socket.", confidence="high")
    for listed in module.nodes.of(ast.List):
        said = [item.value for item in listed.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if said[:1] in (["docker"], ["podman"]) and (_OPTIONS & set(said) or any(map(_MOUNTED.search, said))):
            yield module.finding(RULE, listed, "The container is no sandbox: all privileges, or the Docker socket.")


def _holds_socket(value: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.partition(":")[0].endswith(_SOCKETS)
        for node in ast.walk(value)
    )


RULE = ConfigRule(
    id="AC217",
    slug="no-sandbox",
    severity="HIGH",
    cwe=(250,),
    asi=(5,),
    doc=__doc__,
    check=_check,
    also=_check_module,
)
