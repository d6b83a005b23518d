"""Whether a tool that runs code is given a sandbox to run it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from agentcop_scanner.source.module import Module

_SANDBOXES = ("sandbox", "docker", "container", "e2b", "remote", "isolated", "wasm")


def sandboxed(module: Module, call: ast.Call) -> bool:
    """Whether a keyword of the call names a sandbox, other than to turn it off."""
    return any(
        keyword.arg is not None
        and any(word in keyword.arg.lower() for word in _SANDBOXES)
        and module.constant(keyword.value) not in {False, None, ""}
        for keyword in call.keywords
    )
