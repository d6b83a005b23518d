"""Calls of functions of the scanned tree: their summaries, with the arguments put in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.refs import ClassRef, ClosureRef, FunctionRef, InstanceRef
from agentcop_scanner.engine.values.state import State, joined, meet
from agentcop_scanner.engine.values.summary import Hit, Summary
from agentcop_scanner.engine.values.value import (
    CONSTANT,
    MAX_DEPTH,
    NONE,
    Facts,
    Origin,
    Taint,
    Taints,
    Value,
    add,
    combined,
    merge,
)
from agentcop_scanner.finding import Step

if TYPE_CHECKING:
    from agentcop_scanner.engine.calling.callsite import CallSite
    from agentcop_scanner.engine.flow.frame import Frame
    from agentcop_scanner.engine.values.refs import Ref

MAX_INLINE = 3
_MAX_TRAIL = 6
_MAX_RETURNED = 8
"""Items of a tuple that are told apart in a caller."""


def applied(frame: Frame, site: CallSite, target: Ref) -> Value | None:
    """The result of a call of something in the scanned tree; None if nothing is known of it."""
    if isinstance(target, ClosureRef):
        return _closure(frame, site, target)
    if isinstance(target, ClassRef):
        return _made(frame, site, target)
    if isinstance(target, InstanceRef):
        method = target.unit.method(target.qualname, "__call__")
        return _called(frame, site, FunctionRef(unit=target.unit, scope=method, bound=True)) if method else None
    return _called(frame, site, target)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.arg]:
    """The parameters that take one argument each, in their order."""
    return [*node.args.posonlyargs, *node.args.args]


def _skips_first(ref: FunctionRef) -> bool:
    """Whether the first parameter is the object or class itself."""
    node = ref.scope.node
    if ref.scope.owner is None or isinstance(node, ast.ClassDef):
        return False
    return "staticmethod" not in ref.unit.module.decorators(node)


def _arguments(
    site: CallSite, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, skip: int
) -> dict[str, Value]:
    """Parameter names to what the call gives them."""
    named = parameters(node)[skip:]
    given: dict[str, Value] = {}
    for parameter, value in zip(named, site.args, strict=False):
        given[parameter.arg] = value
    if node.args.vararg is not None:
        given[node.args.vararg.arg] = combined(site.args[len(named) :])
    known = {parameter.arg for parameter in (*named, *node.args.kwonlyargs)}
    extra = {name: value for name, value in site.keywords.items() if name not in known}
    given.update({name: value for name, value in site.keywords.items() if name in known})
    if node.args.kwarg is not None:
        given[node.args.kwarg.arg] = Value(combined(extra.values()).taints, fields=extra)
    if site.rest is not None:
        for name in known:
            given.setdefault(name, site.rest)
    return given


def _made(frame: Frame, site: CallSite, target: ClassRef) -> Value:
    """An object of a class of the tree."""
    method = target.unit.method(target.qualname, "__init__")
    if method is not None:
        _called(frame, site, FunctionRef(unit=target.unit, scope=method, bound=True))
    given = combined(site.everything())
    return Value(
        given.taints,
        is_a=target.qualname,
        ref=InstanceRef(unit=target.unit, qualname=target.qualname),
        fields=site.keywords or None,
    )


def _called(frame: Frame, site: CallSite, ref: FunctionRef) -> Value | None:
    node = ref.scope.node
    if isinstance(node, ast.ClassDef) or (ref.scope.owner is not None and _left_to_others(node)):
        return None
    level = frame.level if ref.unit is frame.unit else frame.level - 1
    summary = frame.world.summary(ref, level) if level >= 0 else None
    if summary is None:
        return None
    method = _skips_first(ref)
    # Class.method(self, …) gives the object itself as the first argument
    skip = 1 if method and (ref.bound or site.receiver is None or site.method == node.name) else 0
    explicit_self = (
        method
        and not ref.bound
        and site.callee.is_a.startswith("=")
        and "classmethod" not in ref.unit.module.decorators(node)
    )
    given = _arguments(site, node, 0 if explicit_self and len(site.args) > len(parameters(node)) - 1 else skip)
    _carry_hits(frame, site, ref, summary, given)
    frame.state.learn(_translated(summary.on_exit, given))
    true, false = _translated(summary.if_true, given), _translated(summary.if_false, given)
    returned = _substituted(frame, site, summary.returned, given, ref)
    return Value(
        returned.taints,
        is_a=returned.is_a,
        const=returned.const,
        text=returned.text,
        items=returned.items,
        ref=returned.ref,
        facts=(true, false) if true or false else returned.facts if not returned.taints else None,
    )


def _left_to_others(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method says nothing, and a class below says what it gives."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if not body:
        return True
    first = body[0]
    if isinstance(first, ast.Raise) and first.exc is not None:
        made = first.exc.func if isinstance(first.exc, ast.Call) else first.exc
        return isinstance(made, ast.Name) and made.id == "NotImplementedError"
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.value.value is ...


def _argument(origin: Origin, given: dict[str, Value]) -> Value | None:
    """What stands for a parameter, or a field of it, at the call; None for what is no parameter."""
    if origin.kind != "param":
        return None
    value = given.get(origin.name, CONSTANT)
    for field in origin.fields.split(".")[1:]:
        value = value.element() if field == "[]" else value.field(field)
    return value


def _translated(facts: Facts, given: dict[str, Value]) -> Facts:
    found: Facts = {}
    for origin, marks in facts.items():
        value = _argument(origin, given)
        for own in value.taints if value is not None else ():
            found[own] = found.get(own, NONE) | marks
    return found


def _step(frame: Frame, site: CallSite) -> Step:
    return Step(path=frame.module.path, place=frame.module.place(site.node), what=f"passed to {site.shown}")


def _carried(frame: Frame, origin: Origin, taint: Taint, given: dict[str, Value], step: Step) -> Taints:
    """The taints at the call that a taint inside the function stands for."""
    value = _argument(origin, given)
    if value is None:
        return {origin: taint}
    found: Taints = {}
    for own, outer in value.taints.items():
        marks = frame.state.marks(own, outer) | taint.marks
        found[own] = Taint(marks, outer.joined or taint.joined, (*outer.trail, step)[:_MAX_TRAIL])
    return found


def _substituted(  # noqa: PLR0913, PLR0917  # a value, and the call it is put into
    frame: Frame, site: CallSite, value: Value, given: dict[str, Value], ref: FunctionRef, depth: int = 0
) -> Value:
    step = _step(frame, site)
    taints: Taints = {}
    for origin, taint in value.taints.items():
        if origin.kind == "self" and ref.unit is not frame.unit:
            origin = Origin("unknown")  # noqa: PLW2901  # another object's attribute says nothing here
        add(taints, _carried(frame, origin, taint, given, step))
    items = None
    if value.items is not None and depth < MAX_DEPTH:
        items = tuple(_substituted(frame, site, item, given, ref, depth + 1) for item in value.items[:_MAX_RETURNED])
    return Value(taints, is_a=value.is_a, const=value.const, text=value.text, items=items, ref=value.ref)


def _carry_hits(frame: Frame, site: CallSite, ref: FunctionRef, summary: Summary, given: dict[str, Value]) -> None:
    """What arrives in the function through its parameters arrives here with the arguments."""
    step = _step(frame, site)
    foreign = ref.unit is not frame.unit
    public = not ref.scope.node.name.startswith("_") and ref.scope.qualname not in ref.unit.module.entries
    for hit in summary.hits:
        value = _argument(hit.origin, given)
        if value is None or not frame.state.live:
            continue
        for origin, outer in value.taints.items():
            marks = frame.state.marks(origin, outer) | hit.marks
            if hit.rule.danger in marks:
                continue
            # put together here and merely passed on there: this is where it has to be mended
            here = foreign or (outer.joined and not hit.joined)
            frame.hits.add(
                Hit(
                    rule=hit.rule,
                    sink=hit.sink,
                    module=frame.module if here else hit.module,
                    node=site.node if here else hit.node,
                    function=frame.function if here else hit.function,
                    origin=origin,
                    marks=marks,
                    joined=outer.joined or hit.joined,
                    pieced=hit.pieced or outer.joined,
                    trail=(*outer.trail, step, *hit.trail)[:_MAX_TRAIL],
                    opted_in=hit.opted_in or frame.state.opted_in,
                    arrival=hit.end if here else hit.arrival,
                    via=site.node if public and not hit.joined and not here else None,
                )
            )


def _closure(frame: Frame, site: CallSite, target: ClosureRef) -> Value | None:
    """A function inside this one: run through where it is called, with the names around it."""
    if frame.inline >= MAX_INLINE or not frame.spend():
        return None
    node = target.node
    outer_state, outer_returned = frame.state, frame.returned
    names = {**target.names, **outer_state.names, **_arguments(site, node, 0)}
    for default in parameters(node):
        names.setdefault(default.arg, CONSTANT)
    frame.inline += 1
    frame.state = State(names, dict(outer_state.facts))
    frame.state.opted_in = outer_state.opted_in
    frame.returned = []
    if isinstance(node, ast.Lambda):
        value = frame.state.settled(frame.value(node.body))
        ends = [frame.state]
        facts = value.facts
    else:
        inner = frame.inner
        frame.world.execute(frame, node.body)
        frame.inner = inner
        value = merge([entry.value for entry in frame.returned])
        facts = outcomes(frame)
        ends = [frame.state]
        for entry in frame.returned:
            left = State(facts=entry.facts)
            ends.append(left)
    frame.inline -= 1
    learnt = joined(ends).facts
    outer_state.learn({origin: marks for origin, marks in learnt.items() if frame.state.live or frame.returned})
    frame.state, frame.returned = outer_state, outer_returned
    return Value(
        value.taints, is_a=value.is_a, const=value.const, text=value.text, items=value.items, ref=value.ref, facts=facts
    )


def outcomes(frame: Frame) -> tuple[Facts, Facts]:
    """What is known where the function that was looked at gave something true, and where something false."""
    true: Facts | None = None
    false: Facts | None = None
    asked = all(entry.opted_in for entry in frame.returned)
    for entry in frame.returned:
        if entry.opted_in and not asked:
            continue
        if entry.true is not None:
            true = entry.true if true is None else meet(true, entry.true)
        if entry.false is not None:
            false = entry.false if false is None else meet(false, entry.false)
    if frame.state.live and not frame.state.opted_in:  # it ends without a return: that is nothing, which is false
        false = dict(frame.state.facts) if false is None else meet(false, frame.state.facts)
    return true or {}, false or {}
