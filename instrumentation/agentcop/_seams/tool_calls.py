"""Where tools are called: what is judged there, what the tool's method then gets, and what its caller does."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from agentcop._seams.held import hold
from agentcop._seams.packages import package_of
from agentcop._seams.patches import patch
from agentcop._seams.registry import registered
from agentcop._seams.wrapping.boxed import InBox
from agentcop._seams.wrapping.later import Later
from agentcop._seams.wrapping.step import Answered
from agentcop._toolname import tool_name
from agentcop_core.errors import ToolBlocked
from agentcop_processor.call.passage import Passage
from agentcop_processor.call.seam import admission
from agentcop_processor.call.transport import REMOTE, Transport
from agentcop_processor.call.unjudged.faults import failed
from agentcop_processor.call.unjudged.invalid import log_invalid
from agentcop_processor.call.unjudged.ungoverned import GoingOver, let_pass
from agentcop_processor.judges import judges
from agentcop_processor.runs import current_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop._seams.wrapping.step import Begin, Begun
    from agentcop.adapters._interface import ParsedCall, ToolTarget
    from agentcop_processor.call.approving import Held
    from agentcop_processor.gate import Gate
    from agentcop_processor.sandbox.boxing import Boxing

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
            unreadable(name, gates, error)
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
) -> Passage | Held | Boxing | None:
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
            ship=None if target.ship is None else partial(target.ship, tool),
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
) -> Begun | Later[Begun]:
    """What the tool's method is called with, and the step around it. `given`: its own arguments, `self` first."""
    try:
        values = passage.enter()
    except ToolBlocked as blocked:
        raise _refused(target, tool, parsed, blocked) from None
    try:
        run_args, run_kwargs = parsed.run(values)
        first = given[0][0]
        if passage.box is not None:
            in_box = InBox(passage, *(parsed.boxed(values) if parsed.boxed is not None else ((), dict(values))))
            if target.stand_in is None:
                return in_box
            first = target.stand_in(tool, in_box.body, in_box.awaited_body)
    except Exception as error:
        passage.failed(error)
        unreadable(*governed, error)
        return None, *given
    step = _Said(passage, target.said) if target.said is not None else passage
    return step, (first, *run_args), run_kwargs


def _refused(target: ToolTarget, tool: object, parsed: ParsedCall, blocked: ToolBlocked) -> Exception:
    """What to raise for a refusal: itself, or the framework's own answer in the tool's place."""
    if target.refuse is None or _must_raise(blocked):
        return blocked
    return Answered(target.refuse(tool, parsed, blocked))


def unreadable(name: str, gates: tuple[Gate, ...], error: Exception) -> None:
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
    return target.parse if package_of(target.owner) == package_of(target.base) else target.overridden


def _must_raise(blocked: ToolBlocked) -> bool:
    """Whether a refusal must reach the caller as an error here: it is loud, and no entry above will raise it."""
    if current_run() is not None:
        return False
    return blocked.verdict is None or blocked.verdict.on_block not in _QUIET


class _Said:
    """A tool's passage that records the part of the result which the model reads."""

    def __init__(self, passage: Passage, said: Callable[[object], object]) -> None:
        self._passage = passage
        self._said = said
        self.started = passage.started
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
