"""Looks at one function from its first line to its last, and sums up what it does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.inline import outcomes
from agentcop_scanner.engine.flow.attributes import SELF
from agentcop_scanner.engine.flow.frame import Frame, World
from agentcop_scanner.engine.unit import MODULE
from agentcop_scanner.engine.values.refs import ClassRef, InstanceRef
from agentcop_scanner.engine.values.state import State, meet
from agentcop_scanner.engine.values.summary import Hit, Summary
from agentcop_scanner.engine.values.value import Facts, Origin, Taint, Value, literal, merge
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.engine.unit import Unit
    from agentcop_scanner.source.python.scopes import Function

_HARMLESS = words(
    "int float bool complex UUID UUID4 datetime date time timedelta Decimal Literal Enum IntEnum Callable Logger"
    " Lock EmailStr PositiveInt NonNegativeInt conint Type type HttpUrl NoneType Connection Cursor Engine Session"
)
_MAX_INNER = 200


def run(world: World, unit: Unit, function: str, level: int) -> Summary:
    """The summary of a function, or of the code of a module. Never raises for what is in it."""
    frame = Frame(world, unit, function, level)
    try:
        if function == MODULE:
            world.execute(frame, [node for node in unit.module.tree.body if not _is_definition(node)])
        else:
            node = unit.functions[function].node
            if isinstance(node, ast.ClassDef):
                return Summary()
            frame.state = State(_given(frame, node, function))
            world.execute(frame, node.body)
        summary = _summed(frame)
        _inner(frame, function)
    except RecursionError:
        world.note(f"{unit.module.path}: {function or 'the module'} is nested too deeply to be followed")
        return Summary(hits=tuple(frame.hits.found.values()))
    finally:
        frame.end()
    summary.hits = tuple(_executed_once(frame))
    summary.dropped = frame.hits.dropped
    if frame.hits.dropped:
        world.note(
            f"{unit.module.path}: {frame.hits.dropped} ways of data in {function or 'the module'} were not followed"
        )
    return summary


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _given(frame: Frame, node: Function, qualname: str) -> dict[str, Value]:
    """The parameters of a function, each an origin of its own."""
    names: dict[str, Value] = {}
    args = node.args
    ordered = [*args.posonlyargs, *args.args]
    unit = frame.unit
    owner = frame.self_class if qualname == frame.function else ""
    decorators = frame.module.decorators(node)
    for at, arg in enumerate(ordered):
        if at == 0 and owner and "staticmethod" not in decorators:
            is_class = "classmethod" in decorators or node.name in {"__new__", "__init_subclass__"}
            ref = ClassRef(unit=unit, qualname=owner) if is_class else InstanceRef(unit=unit, qualname=owner)
            names[arg.arg] = Value({} if is_class else {SELF: Taint()}, ref=ref, is_a=f"={owner}" if is_class else "")
            continue
        names[arg.arg] = _parameter(frame, arg, qualname)
    for arg in args.kwonlyargs:
        names[arg.arg] = _parameter(frame, arg, qualname)
    for rest in (args.vararg, args.kwarg):
        if rest is not None:
            names[rest.arg] = Value(
                {Origin("param", rest.arg, qualname, rest.lineno): Taint(joined=rest is args.vararg)}
            )
    return names


def _parameter(frame: Frame, arg: ast.arg, qualname: str) -> Value:
    is_a = frame.unit.annotation(arg.annotation)
    if last(is_a) in _HARMLESS:
        return Value(is_a=is_a)
    ref = frame.world.lookup(frame.unit, is_a) if is_a else None
    made = InstanceRef(unit=ref.unit, qualname=ref.qualname) if isinstance(ref, ClassRef) else None
    kind = is_a if is_a not in {"str", "bytes", "typing.Any", "dict", "list"} else ""
    return Value({Origin("param", arg.arg, qualname, arg.lineno): Taint()}, is_a=kind, ref=made)


def _summed(frame: Frame) -> Summary:
    true, false = outcomes(frame)
    ends = [entry.facts for entry in frame.returned if not entry.opted_in] or [entry.facts for entry in frame.returned]
    if frame.state.live:
        ends.append(frame.state.facts)
    on_exit: Facts = ends[0] if ends else {}
    for facts in ends[1:]:
        on_exit = meet(on_exit, facts)
    returned = merge([entry.value for entry in frame.returned]) if frame.returned else literal(None)
    return Summary(returned=returned, on_exit=_own(on_exit), if_true=_own(true), if_false=_own(false))


def _own(facts: Facts) -> Facts:
    return {origin: marks for origin, marks in facts.items() if origin.kind == "param" and marks}


def _inner(frame: Frame, function: str) -> None:
    """The functions inside: each is looked at for itself, with the names as they are in the end."""
    names = dict(frame.state.names)
    seen: set[int] = set()
    while frame.inner and len(seen) < _MAX_INNER:
        node = frame.inner.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        scope = frame.module.scopes.by_node.get(node)
        qualname = scope.qualname if scope else f"{function}.{node.name}"
        frame.state = State({**names, **_given(frame, node, qualname)})
        if scope is not None and scope.owner is not None and node.args.args:
            frame.state.names[node.args.args[0].arg] = Value({SELF: Taint()})
        frame.returned = []
        frame.world.execute(frame, node.body)


def _executed_once(frame: Frame) -> list[Hit]:
    """The hits, without those on the text of a query that is run in the same function: there it counts."""
    found = list(frame.hits.found.values())
    executed = {(hit.rule.id, hit.origin) for hit in found if hit.sink != "SQL text"}
    kept: list[Hit] = []
    whole: dict[tuple[str, Origin], int] = {}
    for hit in found:
        key = (hit.rule.id, hit.origin)
        if hit.sink == "SQL text" and key in executed:
            continue
        if hit.rule.danger == "sql" and not hit.joined:
            if key in whole:  # the same statement, run here or there: what binds least says most
                if _given_to(hit) < _given_to(kept[whole[key]]):
                    kept[whole[key]] = hit
                continue
            whole[key] = len(kept)
        kept.append(hit)
    return kept


def _given_to(hit: Hit) -> int:
    """How many arguments the dangerous call takes."""
    return len(hit.node.args) + len(hit.node.keywords) if isinstance(hit.node, ast.Call) else 0
