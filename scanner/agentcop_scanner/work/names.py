"""Dotted names of the files of a scan, as the files themselves import each other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_scanner.source.disk.discovery import FoundFile


class Names:
    """Which file has which dotted name, and back."""

    def __init__(self, files: Sequence[FoundFile]) -> None:
        self._packages: dict[str, bool] = {}
        self.by_name: dict[str, FoundFile] = {}
        self.by_path: dict[str, str] = {}
        for file in files:
            if file.kind != "python":
                continue
            first, *others = self._names(file)
            self.by_path[file.path] = first
            for name in (first, *others):
                self.by_name.setdefault(name, file)

    def canonical(self, name: str) -> str:
        """The first name of the file that has this name; the name itself if none has."""
        file = self.by_name.get(name)
        first = self.by_path[file.path] if file is not None else name
        return first if self.by_name.get(first) is file else name

    def _names(self, file: FoundFile) -> list[str]:
        """The name from the outermost package, and the one from the root of the scan if that is another."""
        folder, _, base = file.real.rpartition("/")
        own = base.rpartition(".")[0]
        parts = [] if own == "__init__" else [own]
        while self._is_package(folder) and "/" in folder:
            folder, _, name = folder.rpartition("/")
            parts.insert(0, name)
        found = [".".join(parts)] if parts else [own]
        inside = file.real.removeprefix(file.root.rstrip("/") + "/").rpartition(".")[0].removesuffix("/__init__")
        whole = inside.replace("/", ".")
        return found if whole in found else [*found, whole] if len(parts) > 1 else [whole, *found]

    def _is_package(self, folder: str) -> bool:
        if folder not in self._packages:
            self._packages[folder] = os.path.exists(f"{folder}/__init__.py")  # noqa: PTH110  # a Path per folder costs
        return self._packages[folder]
