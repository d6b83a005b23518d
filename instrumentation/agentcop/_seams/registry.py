"""Which object is governed by whom. Nothing is stored on the objects: some are frozen, some unhashable."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentcop_core.locks import safe_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.gate import Gate

Role = Literal["agent", "tool"]
"""`agent`: its entry points open a run. `tool`: its methods are tool calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What one object is to the cops that wrapped it."""

    name: str
    """The tool's name in policies, or the agent's."""
    gates: tuple[Gate, ...]
    """The gates that wrapped it, in order; none for a tool of a wrapped agent, whose calls that agent's cop judges."""
    target: Callable[[], object]
    """The object itself, while it lives; tells a reused id from the registered object."""


_registrations: dict[tuple[int, Role], Registration] = {}
_lock = safe_lock()


def registered(obj: object, role: Role) -> Registration | None:
    """What `obj` is to the cops in this role, or None. One object can be both: an agent that is another's tool."""
    found = _registrations.get((id(obj), role))
    return found if found is not None and found.target() is obj else None


def register(obj: object, role: Role, name: str, gate: Gate) -> Registration:
    """Add `gate` to those that govern `obj`; a second registration by the same gate changes nothing.

    An object that allows no weak reference stays registered, and alive, for the life of the process.
    """
    with _lock:
        found = registered(obj, role)
        if found is not None and gate in found.gates:
            return found
        if found is not None:
            made = Registration(
                name=found.name if found.gates else name, gates=(*found.gates, gate), target=found.target
            )
        else:
            made = Registration(name=name, gates=(gate,), target=_reference(obj, role))
        _registrations[id(obj), role] = made
        return made


def name_tool(tool: object, name: str) -> None:
    """Keep the name that `tool` has in policies from now on, whatever it calls itself later; nobody governs it yet."""
    with _lock:
        if registered(tool, "tool") is None:
            made = Registration(name=name, gates=(), target=_reference(tool, "tool"))
            _registrations[id(tool), "tool"] = made


def _reference(obj: object, role: Role) -> Callable[[], object]:
    try:
        reference = weakref.ref(obj)
    except TypeError:
        return lambda: obj
    weakref.finalize(obj, _forget, (id(obj), role), reference)
    return reference


def _forget(key: tuple[int, Role], reference: Callable[[], object]) -> None:
    with _lock:
        found = _registrations.get(key)
        if found is not None and found.target is reference:
            del _registrations[key]
