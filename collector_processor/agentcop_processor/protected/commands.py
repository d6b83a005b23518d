"""Whether a text is a command line: it names a program that is here, or computes what it runs."""

from __future__ import annotations

import re
import shutil
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from agentcop_policies.when.bash import MAX_COMMAND, parse

if TYPE_CHECKING:
    from tree_sitter import Node

_PROGRAM: Final = re.compile(r"[A-Za-z0-9_.+-]+")
_QUOTES: Final = re.compile(r"['\"\\]")
_BUILTINS: Final = frozenset(
    {
        ".", ":", "[", "[[", "builtin", "cd", "command", "declare", "echo", "eval", "exec", "export", "mapfile",
        "popd", "printf", "pushd", "pwd", "read", "readarray", "source", "test", "time", "trap", "type", "unset",
    }
)  # fmt: skip


@lru_cache(maxsize=256)
def runs_a_program(text: str) -> bool:
    """Whether a shell that is given `text` would run something. True where that cannot be told."""
    if len(text) > MAX_COMMAND:
        return True
    nodes = [parse(text.encode("utf-8", "surrogatepass"))]
    while nodes:
        node = nodes.pop()
        if node.type == "command_name" and _is_program(node):
            return True
        nodes.extend(node.children)
    return False


def _is_program(node: Node) -> bool:
    name = (node.text or b"").decode("utf-8", "replace")
    if "$" in name or "`" in name or "/" in name:
        return True  # computed, or a path
    name = _QUOTES.sub("", name)
    return _PROGRAM.fullmatch(name) is not None and (name in _BUILTINS or _is_installed(name))


@lru_cache(maxsize=512)
def _is_installed(name: str) -> bool:
    return shutil.which(name) is not None
