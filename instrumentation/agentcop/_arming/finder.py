"""Tells when a framework has been imported, without importing one: a finder that looks and hands on."""

from __future__ import annotations

import sys
from _thread import get_ident

from agentcop._arming.frameworks import UNGOVERNED
from agentcop.adapters import REGISTRY, ROOTS

TYPE_CHECKING = False  # see _boot
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

FACE = "agentcop._cop"
"""A program that makes cops of its own is governed by the process's too, so this counts as a framework."""


class Finder:
    """Stands first in `sys.meta_path`; a module that nobody waits for costs it a few look-ups in a dict."""

    def __init__(self, *, face: bool = True) -> None:
        """Finds nothing by itself. `face`: a cop that the program makes counts as a framework."""
        self._face = face
        self._looking: set[tuple[int, str]] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give for a framework's module, with a loader that reports; else None."""
        if not is_awaited(fullname, face=self._face):
            return None
        looking = (get_ident(), fullname)
        if looking in self._looking:  # a finder that wraps others asks all of them again
            return None
        self._looking.add(looking)
        try:
            spec = self._others(fullname, path, target)
        finally:
            self._looking.discard(looking)
        if spec is not None and spec.loader is not None:
            spec.loader = Reporting(spec.loader)  # type: ignore[assignment]  # a loader by what it can do
        return spec

    def _others(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None


class Reporting:
    """A module's own loader, and a report once it has run; afterwards nothing of this is left on the module."""

    def __init__(self, loader: Loader) -> None:
        """`loader`: the module's own."""
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the module's own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module by its own loader, then report it. An import that failed is not reported."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        report(module.__name__)

    def __getattr__(self, name: str) -> object:
        """Whatever else is asked of a loader: source, data files, file names."""
        return getattr(self._loader, name)


def is_awaited(name: str, *, face: bool = True) -> bool:
    """Whether the import of this module means that a framework is here."""
    return name in REGISTRY or name in ROOTS or name in UNGOVERNED or (face and name == FACE)


def report(name: str) -> None:
    """Hand the import on; what judges is loaded here and not before."""
    from agentcop._arming.process import framework_imported

    framework_imported(name)


def put_in_place(*, face: bool = True) -> None:
    """Watch all further imports, and report what is imported already: a program may arm late, by `import agentcop`.

    `face`: see `Finder`.
    """
    sys.meta_path.insert(0, Finder(face=face))
    for name in [name for name in list(sys.modules) if is_awaited(name, face=face)]:
        report(name)


def take_away() -> None:
    """Watch no further imports: for `agentcop doctor`, which puts seams in place itself and says what became of it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
