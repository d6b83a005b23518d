"""What others saw of gate.log: the heads that travelled on spans, read back from where they were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from agentcop_core.attributes import COP_LOG_HEAD
from agentcop_processor.gatelog.chain import Head, parse_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_LINE = 64 * 1024 * 1024
_MAX_HEADS = 1_000_000
_ATTRIBUTE = COP_LOG_HEAD.encode()


class Heads:
    """Witnessed heads by writer. Bounded: beyond a million only the latest of each writer is kept.

    The latest is enough to find that something was changed, since every earlier line is chained to it; the others
    tell where.
    """

    def __init__(self) -> None:
        """No heads."""
        self.contradictions: list[str] = []
        """Two witnesses that name the same line by different hashes: one of them was forged."""
        self.seen = 0
        self._by_writer: dict[str, dict[int, str]] = {}
        self._kept = 0

    def add(self, head: Head) -> None:
        """Take one head in."""
        self.seen += 1
        of_writer = self._by_writer.setdefault(head.writer, {})
        known = of_writer.setdefault(head.seq, head.hash)
        if known != head.hash:
            self.contradictions.append(f"{head.writer}:{head.seq} is witnessed with two hashes")
            return
        self._kept += 1
        if self._kept > _MAX_HEADS:
            for writer, heads in self._by_writer.items():
                latest = max(heads)
                self._by_writer[writer] = {latest: heads[latest]}
            self._kept = len(self._by_writer)

    def writers(self) -> Iterator[str]:
        """Every witnessed writer."""
        return iter(self._by_writer)

    def of(self, writer: str) -> dict[int, str]:
        """Hash by line number, of one writer; empty if nobody saw it."""
        return self._by_writer.get(writer, {})


def read_heads(path: Path) -> Heads:
    """The heads in `path`: a file of `w:n:hash` lines or of OTLP/JSON spans, or a folder of such files (the spool).

    Raises OSError where it cannot be read.
    """
    heads = Heads()
    files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as handle:
            while line := handle.readline(_MAX_LINE):
                for head in _heads_in(line):
                    heads.add(head)
    return heads


def _heads_in(line: bytes) -> Iterator[Head]:
    if _ATTRIBUTE in line:
        try:
            yield from _attribute_values(orjson.loads(line))
        except orjson.JSONDecodeError:
            return  # the torn end of a file that is being written
    elif head := parse_head(line.decode("ascii", "replace").strip()):
        yield head


def _attribute_values(node: object) -> Iterator[Head]:
    """Heads that stand as the value of our attribute, wherever in the JSON; never text that only looks like one."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            value = node.get("value")
            if node.get("key") == COP_LOG_HEAD and isinstance(value, dict):
                head = parse_head(str(value.get("stringValue")))
                if head:
                    yield head
            else:
                waiting.extend(node.values())
