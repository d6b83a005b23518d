"""A process that scans files for another. Reads its orders on standard input, answers a line for each file.

First line: the files of the whole scan. Then one line a file: its place among them. A process of its own, so that a
file on which the interpreter dies takes nothing else with it. It imports nothing of what it scans, and opens no socket.
"""

from __future__ import annotations

import contextlib
import gc
import sys

import orjson

from agentcop_scanner.source.disk.discovery import FoundFile
from agentcop_scanner.work.codec import encoded
from agentcop_scanner.work.tree import Tree

_MAX_MEMORY = 4 << 30
"""Bytes of address space; over it a file fails instead of the machine."""


def _limited() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))


def main() -> None:
    """Scans what it is told until its input ends."""
    _limited()
    gc.disable()
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    files = [FoundFile(**entry) for entry in orjson.loads(orders.readline())]
    tree = Tree(files)
    for line in orders:
        answers.write(encoded(tree.analyse(files[int(line)])) + b"\n")
        answers.flush()
