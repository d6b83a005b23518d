"""Which agent frameworks an environment has, told without importing one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module, metadata, util
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from agentcop._arming.frameworks import UNGOVERNED
from agentcop.adapters import REGISTRY, SHARED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcop.adapters._interface import FrameworkAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """One framework that a program in this environment can import."""

    name: str
    """As its users call it."""
    release: str
    """Its distribution and version, `langchain-core 1.8.3`; "" if none says."""
    place: str = ""
    """Its adapter, as `module:class`; "" if this build has none."""
    modules: tuple[str, ...] = ()
    """What defines the seams, of what is there."""


def frameworks() -> list[Framework]:
    """Every framework of this environment that this build knows by name; those with an adapter first."""
    governed = [found for place in dict.fromkeys(REGISTRY.values()) if (found := _governed(place)) is not None]
    others: dict[str, Framework] = {}
    for module, name in sorted(UNGOVERNED.items()):
        if name not in others and is_there(module):
            others[name] = Framework(name=name, release=_release(name, module))
    return sorted(governed, key=lambda each: each.name) + sorted(others.values(), key=lambda each: each.name)


def adapter_at(place: str) -> FrameworkAdapter:
    """The adapter at `module:class`. Imports it, and no framework."""
    module, _, name = place.partition(":")
    made: FrameworkAdapter = getattr(import_module(module), name)()
    return made


def is_there(name: str) -> bool:
    """Whether a module can be imported, as far as that can be told without importing any of it."""
    root, *below = name.split(".")
    try:
        spec = util.find_spec(root)
    except (ImportError, ValueError):  # ValueError: something in sys.modules that has no spec
        return root in sys.modules and not below
    for part in below:
        if spec is None:
            return False
        root = f"{root}.{part}"
        spec = PathFinder.find_spec(root, spec.submodule_search_locations)
    return spec is not None


def _governed(place: str) -> Framework | None:
    modules = tuple(name for name, where in REGISTRY.items() if where == place and is_there(name))
    if not modules or not any(_is_the_framework(name) for name in modules):
        return None
    adapter = adapter_at(place)
    return Framework(name=adapter.name, release=_release(adapter.name, adapter.module), place=place, modules=modules)


def _is_the_framework(module: str) -> bool:
    """Whether a module's top name means the framework here, and no package that people have called so too."""
    root = module.partition(".")[0]
    if root not in SHARED:
        return True
    owner, own = SHARED[root]
    return is_there(f"{root}.{own}") or any(metadata.distributions(name=owner))


def _release(name: str, module: str) -> str:
    """The distribution that is called like the framework or its module, or else the one that has its top module."""
    root = module.partition(".")[0]
    for each in (root.replace("_", "-"), name):
        try:
            return f"{each} {metadata.version(each)}"
        except metadata.PackageNotFoundError:
            continue
    owners = set(metadata.packages_distributions().get(root, []))
    return " ".join(f"{owner} {metadata.version(owner)}" for owner in owners) if len(owners) == 1 else ""


def import_all(modules: Iterable[str]) -> str:
    """Import these; "" or why one of them could not be. What a framework raises is its own affair, and told."""
    for name in modules:
        try:
            import_module(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # one that exits must not end the doctor with its own code
            return f"{name} cannot be imported: {type(error).__name__}: {error}"
    return ""
