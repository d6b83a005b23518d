"""The files of a scan as one program: each is analysed with what it imports from the others."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

from agentcop_scanner.analysis import Analysis, analyse
from agentcop_scanner.engine.program import Program
from agentcop_scanner.engine.tables import tables
from agentcop_scanner.rule import TaintRule
from agentcop_scanner.rules import all_rules
from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.disk.reading import read_bytes
from agentcop_scanner.source.parsing import module_of
from agentcop_scanner.work.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop_scanner.source.disk.discovery import FoundFile
    from agentcop_scanner.source.module import Module

_MAX_BYTES_KEPT = 24 << 20
"""Of source whose trees are kept for the files that import it; a tree takes about thirty times as much."""


class Tree:
    """The files of a scan. What is found in one does not depend on which were analysed before it."""

    def __init__(self, files: Sequence[FoundFile]) -> None:
        self.names = Names(files)
        self._tables = tables(rule for rule in all_rules() if isinstance(rule, TaintRule))
        self._program = self._begun()
        self._kept = 0

    def _begun(self) -> Program:
        return Program(self._tables, self._load, self.names.canonical)

    def _load(self, dotted: str) -> Module | None:
        file = self.names.by_name.get(dotted)
        if file is None:
            return None
        try:
            raw = read_bytes(file.real, "python")
            self._kept += len(raw)
            return module_of(
                raw, file.path, self.names.by_path[file.path], is_package=file.path.endswith("__init__.py")
            )
        except UnreadError:
            return None  # reported where the file itself is analysed

    def analyse(self, file: FoundFile) -> Analysis:
        """What is in one file. Never raises for what is in it."""
        self._kept += file.size
        if self._kept > _MAX_BYTES_KEPT:
            self.forget()
            self._program = self._begun()
            self._kept = 0
        return analyse(file, self._program, self.names.by_path.get(file.path, ""))

    def forget(self) -> None:
        """Lets go of all trees. Not used after."""
        self._program.forget()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """No search for garbage in cycles meanwhile: trees are many objects, and none of them is garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
