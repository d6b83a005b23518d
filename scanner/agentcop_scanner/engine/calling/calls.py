"""Calls: what arrives in them, what they show, what they give."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling import checks, commands, inline, results, sinks, sources, validators
from agentcop_scanner.engine.calling.callsite import CallSite
from agentcop_scanner.engine.flow import attributes
from agentcop_scanner.engine.values.refs import ClassRef, FunctionRef
from agentcop_scanner.engine.values.value import CONSTANT, Value, cleared, combined, marked
from agentcop_scanner.source.python.tools import last

if TYPE_CHECKING:
    from agentcop_scanner.engine.flow.frame import Frame
    from agentcop_scanner.engine.values.refs import Ref

_FORWARDERS = {
    "asyncio.to_thread": 0,
    "anyio.to_thread.run_sync": 0,
    "functools.partial": 0,
    "starlette.concurrency.run_in_threadpool": 0,
    "fastapi.concurrency.run_in_threadpool": 0,
    "asyncio.wait_for": -1,
    "run_in_executor": 1,
    "submit": 0,
    "run_sync": 0,
    "run_in_threadpool": 0,
}
"""Calls that call one of their arguments with those after it: its position."""


def made_by(dotted: str, ref: Ref | None) -> str:
    """The class of what a call of this name gives; "" if it is not known."""
    if isinstance(ref, ClassRef):
        return ref.qualname
    return results.TYPES.get(dotted) or (dotted if last(dotted)[:1].isupper() else "")


def call(frame: Frame, node: ast.Call) -> Value:
    """A call."""
    site = _site(frame, node)
    forwarded = _forwarded(site)
    if forwarded is not None:
        made = _done(frame, forwarded)
        return made if not site.dotted.endswith("partial") else Value(made.taints, is_a=site.dotted)
    return _done(frame, site)


def _site(frame: Frame, node: ast.Call) -> CallSite:
    func = node.func
    receiver: Value | None = None
    method = ""
    if isinstance(func, ast.Attribute):
        receiver = frame.value(func.value)
        method = func.attr
        callee = attributes.read(frame, func, receiver)
    else:
        callee = frame.value(func)
    dotted = callee.is_a[1:] if callee.is_a.startswith("=") else ""
    if not dotted and receiver is not None and receiver.is_a and not receiver.is_a.startswith("="):
        dotted = f"{receiver.is_a}.{method}"
    args: list[Value] = []
    rest: list[Value] = []
    for arg in node.args:
        value = frame.value(arg)
        if not isinstance(arg, ast.Starred):
            args.append(value)
        elif value.items is not None:
            args += value.items
        else:
            rest.append(value)
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = frame.value(keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif value.fields is not None:
            keywords.update(value.fields)
        else:
            rest.append(value)
    return CallSite(
        node=node,
        dotted=dotted,
        method=method,
        receiver=receiver,
        callee=callee,
        args=args,
        keywords=keywords,
        rest=combined(rest) if rest else None,
    )


def _forwarded(site: CallSite) -> CallSite | None:
    at = _FORWARDERS.get(site.dotted, _FORWARDERS.get(site.method) if site.receiver is not None else None)
    if at is None or at < 0 or at >= len(site.args):
        return None
    target = site.args[at]
    if not target.is_a.startswith("=") and target.ref is None:
        return None
    dotted = target.is_a[1:] if target.is_a.startswith("=") else ""
    return CallSite(
        node=site.node,
        dotted=dotted,
        method=last(dotted),
        receiver=None,
        callee=target,
        args=site.args[at + 1 :],
        keywords=site.keywords,
        rest=site.rest,
    )


def _done(frame: Frame, site: CallSite) -> Value:
    sinks.look(frame, site)
    commands.look(frame, site)
    target = site.callee.ref
    if target is None or isinstance(target, ClassRef):  # a function of the tree is what it is, whatever it is called
        found = checks.known(frame, site) or results.known(frame, site)
        if found is not None:
            return found
    if target is None and site.dotted and not site.callee.is_a.startswith("="):
        target = frame.world.lookup(frame.unit, site.dotted)
    if target is not None:
        found = inline.applied(frame, site, target)
        if found is not None:
            return validators.of_known(frame, site, found) if isinstance(target, FunctionRef) else found
    return validators.of_unknown(frame, site) or _anything(site)


def _anything(site: CallSite) -> Value:
    """The result of a call of which nothing is known: whatever went into it."""
    given = list(site.everything())
    if site.receiver is not None and not site.receiver.is_a.startswith("="):
        given.append(site.receiver)
    found = combined(given)
    kind = made_by(site.dotted, None) if site.callee.is_a.startswith("=") else ""
    if found.taints:
        # a list of options, for all we know: what it begins with is not the text that went in
        return Value(marked(found, cleared("argument")).taints, is_a=kind)
    return Value(sources.unknown_taints(site.node.lineno), is_a=kind)


__all__ = ["CONSTANT", "call", "made_by"]
