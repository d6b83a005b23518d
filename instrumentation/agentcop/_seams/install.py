"""Puts targets in place: class-wide, once each, acting only for what a cop governs. Tools: see `tool_calls`."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from agentcop._seams.copies import LONE_REFUSAL, Copied
from agentcop._seams.going import Going, ending_of
from agentcop._seams.patches import patch, patch_here, remove_all, with_subclasses
from agentcop._seams.registry import registered
from agentcop._seams.tool_calls import install_tool, unreadable
from agentcop._seams.wrapping.step import Answered, Begun
from agentcop_core.errors import NotArmed, ToolBlocked
from agentcop_processor.call.offer import judge_offer
from agentcop_processor.entry import open_entry
from agentcop_processor.judges import floor
from agentcop_processor.model_call import ask, observe_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop.adapters._interface import (
        CopyTarget,
        EntryTarget,
        FrameworkAdapter,
        HandoverTarget,
        ModelTarget,
        Offer,
        ScopeTarget,
        ToolTarget,
    )
    from agentcop_core.session import Observed

__all__ = [
    "install_adapter",
    "install_copy",
    "install_entry",
    "install_handover",
    "install_model",
    "install_scope",
    "install_scopes",
    "install_tool",
    "remove_all",
]

_T = TypeVar("_T", "EntryTarget", "HandoverTarget", "ModelTarget", "ScopeTarget", "ToolTarget")
_log = logging.getLogger("agentcop")


def install_entry(target: EntryTarget) -> None:
    """Every call of this method on a governed agent is a run. Idempotent. Raises NotArmed if it cannot be patched."""

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun:
        agent = target.agent(args[0], args[1:], kwargs) if target.agent is not None else args[0]
        found = registered(agent, "agent")
        # An armed process opens a run at every entry, or nobody would raise what an inner layer swallowed.
        gate = found.gates[0] if found is not None else floor()
        if gate is None:
            return None, args, kwargs
        entry = open_entry(gate, target.conversation(args[1:], kwargs) if target.conversation is not None else "")
        if entry is not None:
            for observed in _observed(target.observe(args[1:], kwargs)):
                entry.observe(observed)
            entry.enter()
            if target.goes_on is not None or target.output is not None:
                return Going(entry, target), args, kwargs
        return entry, args, kwargs

    patch(target.owner, target.attribute).parts["agent"] = begin
    if target.goes_on is not None:
        ends = patch(target.goes_on.result, target.goes_on.stream)
        ends.parts["agent"] = lambda args, kwargs: (ending_of(args[0]), args, kwargs)


def install_model(target: ModelTarget) -> None:
    """Every call of this method raises once its run is blocked, and else has a span. Idempotent. Raises NotArmed."""

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun:
        owner, model = args[0], target.model
        asking = ask(owner, None if model is None else lambda: model(owner), target.read)
        if target.offers is not None:
            try:
                _judge_offers(target.offers(args[1:], kwargs))
            except BaseException as refused:
                if asking is not None:
                    asking.failed(refused)
                raise
        if asking is not None and target.told is not None:
            observe_once(_observed(target.told(args[1:], kwargs)))
        return asking, args, kwargs

    patch(target.owner, target.attribute).parts["model"] = begin


def _judge_offers(offers: Iterable[Offer]) -> None:
    """Raise the refusal of the first that may not be offered; nothing is offered that could not be read."""
    try:
        for offer in offers:
            judge_offer(offer.name, offer.configuration)
    except ToolBlocked:
        raise
    except Exception as error:
        unreadable("model", (), error)


def install_copy(target: CopyTarget) -> None:
    """What this method returns is governed like the object it was called on. Idempotent. Raises NotArmed."""

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun:
        return Copied(args[0], target.copy), args, kwargs

    patch_here(target.owner, target.attribute).parts["copy"] = begin


def install_scope(target: ScopeTarget) -> None:
    """A refusal leaves this method as itself. Idempotent. Raises NotArmed if it cannot be patched."""
    patch(target.owner, target.attribute).parts["scope"] = lambda args, kwargs: (LONE_REFUSAL, args, kwargs)


def install_handover(target: HandoverTarget) -> None:
    """Where something was judged, the method returns that. Idempotent. Raises NotArmed."""

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun:
        taken = target.take(args[0])
        if taken is not None:
            raise Answered(taken)
        return None, args, kwargs

    patch(target.owner, target.attribute).parts["handover"] = begin


def install_adapter(adapter: FrameworkAdapter) -> None:
    """Put every target of a framework in place that this process has imported. Idempotent. Raises NotArmed.

    Call it again when more of the framework was imported.
    """
    adapter.selftest()
    for handover in adapter.handovers():
        _everywhere(handover, install_handover)
    for tool in adapter.targets(None):
        _everywhere(replace(tool, base=tool.owner), install_tool)
    for entry in adapter.entry_targets(None):
        _everywhere(entry, install_entry)
    for model in adapter.model_targets():
        _everywhere(model, install_model)
    for copied in adapter.copies():
        install_copy(copied)
    install_scopes(adapter)


def install_scopes(adapter: FrameworkAdapter) -> None:
    """Let refusals out of the framework's groups of tasks that are entered from now on. Idempotent. Raises NotArmed."""
    for scope in adapter.scopes():
        _everywhere(scope, install_scope)


def _everywhere(target: _T, install: Callable[[_T], None]) -> None:
    """Install on the target's class, and on each subclass that overrides the method, now or later."""
    body = getattr(target, "body", None)
    if target.attribute not in (vars(target.owner) if body is None else _declared(target.owner)):
        what = "method" if body is None else "attribute"
        message = f"{target.owner.__qualname__} has no {what} {target.attribute!r} of its own"
        raise NotArmed(message)

    def on(cls: type) -> None:
        if target.attribute in vars(cls) or cls is target.owner:
            install(replace(target, owner=cls))

    key = (install.__name__, target.attribute, body.method if body is not None else "")
    with_subclasses(target.owner, key, on)


def _declared(owner: type) -> dict[str, object]:
    """The attributes that objects of this class are said to have."""
    return {**getattr(owner, "__dataclass_fields__", {}), **vars(owner)}


def _observed(said: Iterable[Observed]) -> list[Observed]:
    """What an adapter found to observe; a fault there is telemetry's, not the call's."""
    try:
        return list(said)
    except Exception:
        _log.exception("agentcop: what was said to an agent could not be read")
        return []
