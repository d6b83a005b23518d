"""One file a framework: where its tool calls pass. Data only; judging is the processor's.

An armed interpreter imports this at its start, so nothing is loaded here: the registry is names.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see agentcop._boot
if TYPE_CHECKING:
    from agentcop.adapters._interface import Adapter

REGISTRY: dict[str, str] = {}
"""Module that defines what is patched, to the adapter that patches it, as `module:class`."""


def installable(module_name: str) -> Adapter | None:
    """The adapter that the import of `module_name` calls for, loaded now; None if there is none."""
    place = REGISTRY.get(module_name)
    if place is None:
        return None
    from importlib import import_module

    module, _, name = place.partition(":")
    adapter: Adapter = getattr(import_module(module), name)()
    return adapter


def install(adapter: Adapter) -> None:
    """Put the targets of `adapter` in place for every object of its framework. Idempotent. Raises NotArmed."""
    from agentcop._install import install_model

    for target in adapter.model_targets():
        install_model(target)
