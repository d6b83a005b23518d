"""Where a loaded module comes from: Python itself, what is installed, or the project."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

# Paths stay text: thousands are looked at.
# ruff: noqa: PTH100, PTH112, PTH118, PTH119, PTH120, PTH206

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_COPS: Final = frozenset(
    {
        "agentcop",
        "agentcop_alerts",
        "agentcop_control",
        "agentcop_core",
        "agentcop_dashboards",
        "agentcop_detectors",
        "agentcop_policies",
        "agentcop_processor",
        "agentcop_scanner",
        "agentcop_signals",
    }
)
_FRAMEWORKS: Final = frozenset({"agents", "fastmcp", "langchain", "langchain_classic", "langchain_core", "mcp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a module's name leads to in a fresh interpreter."""

    kind: Literal["python", "installed", "project", "unknown"]
    """`python`: the standard library. `installed`: in a `site-packages`. `project`: in any other folder.

    `unknown`: made while the program runs, or loaded under a name that its file does not have.
    """
    root: str = ""
    """Of the project: the folder that the import begins in."""
    entry: str = ""
    """The folder or file in `root` that the first part of the name leads to."""


def names_in(module: object) -> Mapping[str, object]:
    """A module's namespace, of which none of its own code knows: a lazy one would load itself, another may raise.

    Empty for what is no module: anything may stand in `sys.modules`.
    """
    if not issubclass(type(module), ModuleType):
        return {}
    found = object.__getattribute__(module, "__dict__")
    return found if isinstance(found, dict) else {}


def origin_of(name: str, module: object) -> Origin:
    """`name` is the module's in `sys.modules`. Runs none of its code."""
    held = names_in(module)
    paths: Any = held.get("__path__")
    file = held.get("__file__")
    if not isinstance(file, str):
        try:
            file = next(iter(paths or ()), "")
        except Exception:  # a namespace that cannot be computed any more
            file = ""
        return _origin(name, file if isinstance(file, str) else "", is_package=True)
    return _origin(name, file, is_package=paths is not None)


def is_cops(name: object) -> bool:
    """Whether this is a module of AgentCop's own."""
    return isinstance(name, str) and name.partition(".")[0] in _COPS


def is_frameworks(name: object) -> bool:
    """Whether this is a module of a framework whose decorators make a tool of what they are given."""
    return isinstance(name, str) and name.partition(".")[0] in _FRAMEWORKS


@lru_cache(maxsize=256)
def is_projects(folder: str) -> bool:
    """Whether an absolute path on `sys.path` is a folder that holds neither Python nor what is installed."""
    inside = os.path.join(folder, "module.py")
    return os.path.isdir(folder) and not _is_installed(inside) and not _lies_in(inside, ("stdlib", "platstdlib"))


@lru_cache(maxsize=4096)
def _origin(name: str, file: str, *, is_package: bool) -> Origin:
    if not file:
        known = name.partition(".")[0] in sys.stdlib_module_names
        return Origin(kind="python" if known else "unknown")
    file = os.path.abspath(file)
    if _is_installed(file):
        return Origin(kind="installed")
    if _lies_in(file, ("stdlib", "platstdlib")):
        return Origin(kind="python")
    # `root/a/b/__init__.py` and `root/a/b` are `a.b`, and so is `root/a/b.py`.
    node = os.path.dirname(file) if is_package and os.path.basename(file).startswith("__init__.") else file
    entry = ""
    for part in reversed(name.split(".")):
        entry = os.path.basename(node)
        if entry != part and (is_package or not entry.startswith(f"{part}.")):
            return Origin(kind="unknown")
        node, is_package = os.path.dirname(node), True
    return Origin(kind="project", root=node, entry=entry)


def _is_installed(file: str) -> bool:
    return not _INSTALLED.isdisjoint(file.split(os.sep)) or _lies_in(file, ("purelib", "platlib"))


def _lies_in(file: str, schemes: tuple[str, ...]) -> bool:
    found = sysconfig.get_paths()
    return any(file.startswith(os.path.join(found[scheme], "")) for scheme in schemes)
