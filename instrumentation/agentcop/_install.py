"""Puts targets in place: class-wide, once each, acting only for what a cop governs."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from agentcop._going import Going, ending_of
from agentcop._held import hold
from agentcop._later import Later
from agentcop._patches import Begun, patch, patch_here, remove_all, with_subclasses
from agentcop._registry import registered
from agentcop._shapes import Answered
from agentcop._steps import LONE_REFUSAL, Copied
from agentcop._toolname import tool_name
from agentcop_core.errors import NotArmed, ToolBlocked
from agentcop_processor.call.faults import failed
from agentcop_processor.call.invalid import log_invalid
from agentcop_processor.call.offer import judge_offer
from agentcop_processor.call.passage import Passage
from agentcop_processor.call.seam import admission
from agentcop_processor.call.transport import REMOTE, Transport
from agentcop_processor.call.ungoverned import GoingOver, let_pass
from agentcop_processor.entry import open_entry
from agentcop_processor.judges import floor, judges
from agentcop_processor.model_call import ask, observe_once
from agentcop_processor.runs import current_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop._shapes import Begin
    from agentcop.adapters._interface import (
        CopyTarget,
        EntryTarget,
        FrameworkAdapter,
        HandoverTarget,
        ModelTarget,
        Offer,
        ParsedCall,
        ScopeTarget,
        ToolTarget,
    )
    from agentcop_core.session import Observed
    from agentcop_processor.call.approving import Held
    from agentcop_processor.gate import Gate

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
_QUIET = frozenset({"return_message", "alert"})


def install_tool(target: ToolTarget) -> None:
    """Every call of this method on a governed tool is judged. Idempotent. Raises NotArmed if it cannot be patched."""
    way = f"{target.owner.__module__}.{target.owner.__qualname__}.{target.attribute}"
    if target.remote is not None:
        REMOTE[way] = target.remote
    if (body := target.body) is None:
        patch(target.owner, target.attribute).parts["tool"] = _calls(target, way)
        return
    # A body that a tool held before, and that the one it holds now calls, is another way of the same call.
    opening = lambda which: _calls(target, f"{way}#{body.method} {which}")  # noqa: E731 -- handed on
    hold(target.owner, target.attribute, opening, method=body.method, is_awaited=body.is_awaited)


def _calls(target: ToolTarget, way: str) -> Begin:
    """What begins each call that comes this way."""
    parse = _parse_of(target)
    if target.remote is not None:
        REMOTE[way] = target.remote

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | Later[Begun]:
        first, tool = args[0], args[0] if target.tool is None else target.tool(args[1:], kwargs)
        governed = _governed(target, tool)
        if governed is None:
            return None, args, kwargs
        name, gates = governed
        try:
            parsed = parse(tool, args[1:], kwargs)
        except TypeError as error:
            log_invalid(name, error, judges(gates, current_run()))
            raise
        except Exception as error:
            _unreadable(name, gates, error)
            parsed = None
        if parsed is None:
            return None, args, kwargs
        name = parsed.tool or name
        if parsed.invalid is not None:
            log_invalid(name, parsed.invalid, judges(gates, current_run()))
            run_args, run_kwargs = parsed.run({})
            return None, (first, *run_args), run_kwargs
        admitted = _admitted(target, tool, parsed, name, gates, way)
        if admitted is None:
            return GoingOver(name) if target.transport else None, args, kwargs
        if not isinstance(admitted, Passage):
            return Later(
                admitted,
                lambda passage: _entered(target, tool, parsed, passage, (name, gates), (args, kwargs)),
                lambda blocked: _refused(target, tool, parsed, blocked),
            )
        return _entered(target, tool, parsed, admitted, (name, gates), (args, kwargs))

    return begin


def _admitted(  # noqa: PLR0913, PLR0917 -- the call, and where it came in
    target: ToolTarget, tool: object, parsed: ParsedCall, name: str, gates: tuple[Gate, ...], way: str
) -> Passage | Held | None:
    try:
        return admission(
            name,
            parsed.arguments,
            gates,
            owner=tool,
            way=way,
            call_id=parsed.call_id,
            unfit=parsed.unfit,
            transport=Transport(again=parsed.again) if target.transport else None,
        )
    except ToolBlocked as blocked:
        raise _refused(target, tool, parsed, blocked) from None


def _governed(target: ToolTarget, tool: object) -> tuple[str, tuple[Gate, ...]] | None:
    """A tool's name and its gates; None for an agent that is nobody's tool.

    A tool that nobody registered, as the copy of one is, is judged by whoever governs the calls around it.
    """
    found = registered(tool, "tool")
    if found is not None:
        return found.name, found.gates
    if target.name is not None:
        return target.name(tool), ()
    return (tool_name(tool), ()) if registered(tool, "agent") is None else None


def _entered(  # noqa: PLR0913, PLR0917 -- the call, and who answers for it where the adapter fails
    target: ToolTarget,
    tool: object,
    parsed: ParsedCall,
    passage: Passage,
    governed: tuple[str, tuple[Gate, ...]],
    given: tuple[tuple[Any, ...], dict[str, Any]],
) -> Begun:
    """What the tool's method is called with, and the step around it. `given`: its own arguments, `self` first."""
    try:
        values = passage.enter()
    except ToolBlocked as blocked:
        raise _refused(target, tool, parsed, blocked) from None
    try:
        run_args, run_kwargs = parsed.run(values)
    except Exception as error:
        passage.failed(error)
        _unreadable(*governed, error)
        return None, *given
    step = _Said(passage, target.said) if target.said is not None else passage
    return step, (given[0][0], *run_args), run_kwargs


def _refused(target: ToolTarget, tool: object, parsed: ParsedCall, blocked: ToolBlocked) -> Exception:
    """What to raise for a refusal: itself, or the framework's own answer in the tool's place."""
    if target.refuse is None or _must_raise(blocked):
        return blocked
    return Answered(target.refuse(tool, parsed, blocked))


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
        _unreadable("model", (), error)


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
        _everywhere(tool, install_tool)
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


def _unreadable(name: str, gates: tuple[Gate, ...], error: Exception) -> None:
    """An adapter could not read a call: a fault of ours. Raises PolicyBlocked unless nobody enforces anything."""
    run = current_run()
    judging = judges(gates, run)
    if not judging:
        _log.error("agentcop: the call of %s could not be read", name, exc_info=error)
        let_pass(name)
    elif (blocked := failed(name, judging, run, error)) is not None:
        raise blocked from None


def _parse_of(target: ToolTarget) -> Callable[[Any, tuple[Any, ...], dict[str, Any]], ParsedCall | None]:
    """`overridden` for a class of somebody else; the framework's own override a method to call it."""
    if target.overridden is None or target.base is None:
        return target.parse
    packages = {cls.__module__.partition(".")[0] for cls in (target.owner, target.base)}
    return target.parse if len(packages) == 1 else target.overridden


def _must_raise(blocked: ToolBlocked) -> bool:
    """Whether a refusal must reach the caller as an error here: it is loud, and no entry above will raise it."""
    if current_run() is not None:
        return False
    return blocked.verdict is None or blocked.verdict.on_block not in _QUIET


def _observed(said: Iterable[Observed]) -> list[Observed]:
    """What an adapter found to observe; a fault there is telemetry's, not the call's."""
    try:
        return list(said)
    except Exception:
        _log.exception("agentcop: what was said to an agent could not be read")
        return []


class _Said:
    """A tool's passage that records the part of the result which the model reads."""

    def __init__(self, passage: Passage, said: Callable[[object], object]) -> None:
        self._passage = passage
        self._said = said
        self.resume = passage.resume
        self.suspend = passage.suspend
        self.failed = passage.failed

    def returned(self, result: object) -> None:
        """Never raises."""
        try:
            result = self._said(result)
        except Exception:
            _log.exception("agentcop: a tool's result could not be read")
        self._passage.returned(result)
