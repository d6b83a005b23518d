"""What every framework's adapter has in common: it declares where calls pass, and this finds the classes."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from agentcop.adapters._places import classes, is_any, is_imported
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agentcop._seams.registry import Role
    from agentcop.adapters._interface import (
        CopyTarget,
        EntryTarget,
        HandoverTarget,
        ModelTarget,
        ScopeTarget,
        ToolTarget,
    )
    from agentcop.adapters._places import Place

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class At(Generic[_T]):
    """Methods or attributes of classes that may not be imported yet, and what is to happen there."""

    places: tuple[Place, ...]
    attributes: tuple[str, ...]
    make: Callable[..., _T]
    if_there: bool

    def targets(self) -> Iterator[_T]:
        """One for each attribute of each class that this process has imported."""
        for owner in classes(*self.places):
            for attribute in self.attributes:
                if not self.if_there or attribute in vars(owner):
                    yield self.make(owner=owner, attribute=attribute)


def at(
    places: Iterable[Place],
    attributes: Iterable[str],
    kind: Callable[..., _T],
    *,
    if_there: bool = False,
    **fields: object,
) -> At[_T]:
    """`kind` (`ToolTarget`, `EntryTarget`, …) with these `fields`, at these attributes of these classes.

    `if_there`: only where the class has the attribute itself; else one that is missing is `NotArmed`.
    """
    return At(tuple(places), tuple(attributes), partial(kind, **fields), if_there)


class Framework:
    """The skeleton. A subclass is data: what stands here is what most frameworks do, and each may do otherwise."""

    name: ClassVar[str]
    module: ClassVar[str]
    supported: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    distribution: ClassVar[str] = ""
    """As pip knows what `supported` is a version of; "": by `name`."""
    places: ClassVar[tuple[Place, ...]]
    """Module and name of every class that is patched; the registry waits for each module's import."""
    tool_classes: ClassVar[tuple[Place, ...]] = ()
    agent_classes: ClassVar[tuple[Place, ...]] = ()

    tools: ClassVar[tuple[At[ToolTarget], ...]] = ()
    entries: ClassVar[tuple[At[EntryTarget], ...]] = ()
    models: ClassVar[tuple[At[ModelTarget], ...]] = ()
    handed: ClassVar[tuple[At[HandoverTarget], ...]] = ()
    copied: ClassVar[tuple[At[CopyTarget], ...]] = ()

    def __init__(self, imported: str = "") -> None:
        """`imported`: the module whose import has just run, if that is why this is made."""
        self.imported = imported

    def recognises(self, obj: object) -> Role | None:
        """By its class; a tool that is an agent as well is a tool."""
        if is_any(obj, *self.tool_classes):
            return "tool"
        return "agent" if is_any(obj, *self.agent_classes) else None

    def inside(self, obj: object) -> object:
        """The object itself."""
        return obj

    def parts(self, obj: object) -> Iterable[object]:  # noqa: ARG002 -- as the interface has it
        """None: what an agent holds is judged while it runs."""
        return ()

    def targets(self, tool: object) -> Iterable[ToolTarget]:  # noqa: ARG002 -- the same for every tool
        """Those declared in `tools`."""
        return _all(self.tools)

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:  # noqa: ARG002 -- the same for every agent
        """Those declared in `entries`."""
        return _all(self.entries)

    def model_targets(self) -> Iterable[ModelTarget]:
        """Those declared in `models`."""
        return _all(self.models)

    def handovers(self) -> Iterable[HandoverTarget]:
        """Those declared in `handed`."""
        return _all(self.handed)

    def copies(self) -> Iterable[CopyTarget]:
        """Those declared in `copied`."""
        return _all(self.copied)

    def scopes(self) -> Iterable[ScopeTarget]:
        """None: a refusal leaves the framework as it is."""
        return ()

    def selftest(self) -> None:
        """Every class must be where its module has been imported, and be as `check` knows it. Raises NotArmed."""
        for module, name in self.places:
            if is_imported(module, self.imported) and not inspect.isclass(getattr(sys.modules[module], name, None)):
                what = self.distribution or self.name
                raise NotArmed(f"there is no {module}.{name}: this build supports {what} {self.supported}")
        self.check()

    def check(self) -> None:
        """What else must be so before a call may be trusted to pass here. Raises NotArmed."""


def _all(declared: Iterable[At[_T]]) -> Iterator[_T]:
    for each in declared:
        yield from each.targets()
