"""Puts targets in place: class-wide, once each, acting only for objects that a cop has wrapped."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentcop._dress import dress
from agentcop._registry import Registration, registered
from agentcop._shapes import Answered, Nested, Step, shaped
from agentcop._toolname import tool_name
from agentcop_core.errors import NotArmed, ToolBlocked
from agentcop_processor.call.invalid import log_invalid
from agentcop_processor.call.seam import admit
from agentcop_processor.entry import open_entry
from agentcop_processor.runs import current_run

if TYPE_CHECKING:
    from agentcop.adapters._interface import EntryTarget, ModelTarget, ToolTarget

_Begun = tuple[Step | None, tuple[Any, ...], dict[str, Any]]
_BeginFor = Callable[[Registration, tuple[Any, ...], dict[str, Any]], _Begun]


class _Patch:
    """One replaced method and what it does for the objects that are registered."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self.original = original
        self.tool: _BeginFor | None = None
        self.agent: _BeginFor | None = None
        self.model = False

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Begun:
        """Judge it if the object is a tool, open a run if it is an agent.

        An object that nobody registered, as the copy of a tool is, is judged by whoever governs the calls around it.
        """
        if self.model and (run := current_run()) is not None and (blocked := run.halt()) is not None:
            raise blocked
        as_tool = registered(args[0], "tool") if self.tool is not None else None
        as_agent = registered(args[0], "agent") if self.agent is not None else None
        if self.tool is not None and as_tool is None and as_agent is None:
            as_tool = _stray(args[0])
        passage: Step | None = None
        if self.tool is not None and as_tool is not None:
            passage, args, kwargs = self.tool(as_tool, args, kwargs)
        if self.agent is None or as_agent is None:
            return passage, args, kwargs
        try:
            entry, args, kwargs = self.agent(as_agent, args, kwargs)
        except BaseException as error:
            if passage is not None:
                passage.failed(error)
            raise
        if passage is None or entry is None:
            return passage or entry, args, kwargs
        return Nested(passage, entry), args, kwargs


def _stray(tool: object) -> Registration:
    return Registration(name=tool_name(tool), gates=(), target=lambda: tool)


_patches: dict[tuple[type, str], _Patch] = {}
_lock = threading.Lock()


def install_tool(target: ToolTarget) -> None:
    """Every call of this method on a registered tool is judged. Idempotent. Raises NotArmed if it cannot be patched."""

    def begin(found: Registration, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Begun:
        tool = args[0]
        try:
            parsed = target.parse(tool, args[1:], kwargs)
        except TypeError as error:
            log_invalid(found.name, error, found.gates)
            raise
        try:
            passage = admit(
                found.name, parsed.arguments, found.gates, owner=tool, way=target.attribute, call_id=parsed.call_id
            )
            if passage is None:
                return None, args, kwargs
            values = passage.enter()
        except ToolBlocked as blocked:
            if target.refuse is None:
                raise
            raise Answered(target.refuse(parsed, blocked)) from None
        run_args, run_kwargs = parsed.run(values)
        return passage, (tool, *run_args), run_kwargs

    _patch(target.owner, target.attribute).tool = begin


def install_entry(target: EntryTarget) -> None:
    """Every call of this method on a registered agent is a run. Idempotent. Raises NotArmed if it cannot be patched."""

    def begin(found: Registration, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Begun:
        entry = open_entry(found.gates[0])
        if entry is not None:
            for observed in target.observe(args[1:], kwargs):
                entry.observe(observed)
            entry.enter()
        return entry, args, kwargs

    _patch(target.owner, target.attribute).agent = begin


def install_model(target: ModelTarget) -> None:
    """Every call of this method raises once its run is blocked: the model is not asked again. Idempotent."""
    _patch(target.owner, target.attribute).model = True


def remove_all() -> None:
    """Put every patched method back, for tests and for switching off."""
    with _lock:
        for (owner, attribute), patch in _patches.items():
            setattr(owner, attribute, patch.original)
        _patches.clear()


def _patch(owner: type, attribute: str) -> _Patch:
    """The patch of the most derived definition of `owner.attribute`, put in place at its first use."""
    definer = next((cls for cls in owner.__mro__ if attribute in vars(cls)), None)
    if definer is None:
        message = f"{owner.__qualname__} has no method {attribute!r}"
        raise NotArmed(message)
    with _lock:
        if (definer, attribute) in _patches:
            return _patches[definer, attribute]
        original = vars(definer)[attribute]
        if not inspect.isfunction(original):
            message = f"{definer.__qualname__}.{attribute} is a {type(original).__name__}, not a method"
            raise NotArmed(message)
        patch = _Patch(original)
        patched = shaped(original, patch.begin)
        dress(patched, original)
        try:
            setattr(definer, attribute, patched)
        except TypeError as error:
            message = f"{definer.__qualname__}.{attribute} cannot be replaced: {error}"
            raise NotArmed(message) from error
        _patches[definer, attribute] = patch
        return patch
