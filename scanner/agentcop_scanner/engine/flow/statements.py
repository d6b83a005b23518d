"""Runs through statements, path by path, and keeps what is known on each."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.flow import guards
from agentcop_scanner.engine.flow.expressions import bind
from agentcop_scanner.engine.values.state import State, joined
from agentcop_scanner.engine.values.value import ALL, CONSTANT, WEAK, Value, combined, merge, unknown
from agentcop_scanner.source.python.nodes import children
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop_scanner.engine.flow.frame import Frame

_TALK = words("debug info warning error exception critical log print warn write_line echo")
_MAX_LOOPS = 1
"""Loops inside this many others are gone through once only: twice in each would be exponential."""


def execute(frame: Frame, body: Sequence[ast.stmt]) -> None:
    """Runs through a body. Afterwards the frame's state is that at its end; dead if no path gets there."""
    for statement in body:
        if not frame.state.live or not frame.spend():
            return
        handler = _HANDLERS.get(statement.__class__)
        if handler is not None:
            handler(frame, statement)


def _assign(frame: Frame, node: ast.Assign) -> None:
    value = frame.value(node.value)
    for target in node.targets:
        bind(frame, target, value)


def _ann_assign(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is None:
        return
    value = frame.value(node.value)
    if not value.is_a and value.taints:
        value = Value(
            value.taints, is_a=frame.unit.annotation(node.annotation), text=value.text, facts=value.facts, ref=value.ref
        )
    bind(frame, node.target, value)


def _aug_assign(frame: Frame, node: ast.AugAssign) -> None:
    target = node.target
    if isinstance(target, ast.Name | ast.Attribute):
        as_load = ast.copy_location(ast.BinOp(left=target, op=node.op, right=node.value), node)
        bind(frame, target, frame.value(as_load))
    else:
        bind(frame, target, combined((frame.value(node.value),)))


def _expression(frame: Frame, node: ast.Expr) -> None:
    talk = _talks(node.value)
    frame.quiet += talk
    value = frame.value(node.value)
    frame.quiet -= talk
    # a check that is a statement of its own raises where it fails
    if value.is_a == "checked" and value.facts is not None:
        frame.state.learn(value.facts[0])


def _talks(node: ast.expr) -> bool:
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call):
        return False
    func = call.func
    return (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) in _TALK


def _return(frame: Frame, node: ast.Return) -> None:
    guards.returns(frame, frame.value(node.value) if node.value is not None else CONSTANT)
    frame.state.live = False


def _raise(frame: Frame, node: ast.Raise) -> None:
    frame.quiet += 1
    frame.value(node.exc)
    frame.quiet -= 1
    frame.state.live = False


def _stop(frame: Frame, _node: ast.stmt) -> None:
    """`break` and `continue`."""
    if frame.left and frame.state.live:
        frame.left[-1].append(frame.state.copy())
    frame.state.live = False


def _if(frame: Frame, node: ast.If) -> None:
    test = frame.value(node.test)
    true, false = guards.outcome(test)
    start = frame.state
    first, second = start.copy(), start.copy()
    first.learn(true)
    second.learn(false)
    if isinstance(node.test, ast.Constant):  # what a name holds may be set from elsewhere
        (second if node.test.value else first).live = False
    if guards.permits(node.test):
        first.opted_in = True
    frame.state = first
    execute(frame, node.body)
    first = frame.state
    frame.state = second
    execute(frame, node.orelse)
    second = frame.state
    if not first.live and second.live and not node.orelse and _asks_permission(node.test) and _refuses(node.body):
        second.opted_in = True
    frame.state = joined((first, second))


def _refuses(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(statement, ast.Raise) for statement in body)


def _asks_permission(test: ast.expr) -> bool:
    """Whether a test is `not allow_something`: the caller had to say that it wants what is dangerous."""
    if isinstance(test, ast.BoolOp):
        return any(_asks_permission(part) for part in test.values)
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and guards.permits(test.operand)


def _loop(frame: Frame, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], before: Callable[[], None]) -> None:
    """A loop: its body once, and once more with what it left, then whatever is known without and after it."""
    start = frame.state
    frame.loops += 1
    ends = [start]
    last = start
    for _ in range(2 if frame.loops <= _MAX_LOOPS else 1):
        frame.state = joined(ends)
        frame.left.append([])
        before()
        execute(frame, body)
        last = frame.state
        ends += [last, *frame.left.pop()]
    frame.loops -= 1
    after = joined(ends)
    if last.live and _rejects(body):
        # whoever gets past a loop that raises or returns has passed its checks
        after.learn(last.facts)
    frame.state = after
    execute(frame, orelse)


def _rejects(body: Sequence[ast.stmt]) -> bool:
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Raise | ast.Return) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            return True
        if (
            isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ) or isinstance(node, ast.ExceptHandler | ast.match_case):
            todo += children(node)
    return False


def _for(frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    source = frame.value(node.iter)
    element = merge(source.items) if source.items else source.element()
    _loop(frame, node.body, node.orelse, lambda: bind(frame, node.target, element))


def _while(frame: Frame, node: ast.While) -> None:
    _loop(frame, node.body, node.orelse, lambda: frame.state.learn(guards.outcome(frame.value(node.test))[0]))


def _with(frame: Frame, node: ast.With | ast.AsyncWith) -> None:
    for item in node.items:
        value = frame.value(item.context_expr)
        if item.optional_vars is not None:
            bind(frame, item.optional_vars, value)
    suppressing = any("suppress" in ast.unparse(item.context_expr)[:60] for item in node.items)
    start = frame.state.copy() if suppressing else None
    execute(frame, node.body)
    if start is not None:
        frame.state = joined((start, frame.state))


def _try(frame: Frame, node: ast.Try) -> None:
    start = frame.state.copy()
    execute(frame, node.body)
    after_body = frame.state
    # a handler runs after any part of the body: names may be as before or after, only what was known before is known
    middle = joined((start, after_body)) if after_body.live else start.copy()
    middle.facts = dict(start.facts)
    frame.state = after_body
    execute(frame, node.orelse)
    ends = [frame.state]
    for handler in node.handlers:
        frame.state = middle.copy()
        if handler.name:
            frame.state.names[handler.name] = unknown()
        execute(frame, handler.body)
        ends.append(frame.state)
    frame.state = joined(ends)
    if node.finalbody:
        live = frame.state.live
        if not live:
            frame.state = middle.copy()
        execute(frame, node.finalbody)
        frame.state.live = frame.state.live and live


def _match(frame: Frame, node: ast.Match) -> None:
    subject = frame.value(node.subject)
    start = frame.state
    ends: list[State] = []
    complete = False
    for case in node.cases:
        frame.state = start.copy()
        _pattern(frame, case.pattern, subject)
        if case.guard is not None:
            frame.state.learn(guards.outcome(frame.value(case.guard))[0])
        complete = complete or (
            isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
        )
        execute(frame, case.body)
        ends.append(frame.state)
    frame.state = joined(ends if complete else [*ends, start.copy()])


def _pattern(frame: Frame, pattern: ast.pattern, subject: Value) -> None:
    if isinstance(pattern, ast.MatchValue | ast.MatchSingleton) or (
        isinstance(pattern, ast.MatchOr) and all(isinstance(part, ast.MatchValue) for part in pattern.patterns)
    ):
        frame.state.learn(guards.about(subject, ALL))
    for node in ast.walk(pattern):
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            frame.state.names[node.name] = subject
        elif isinstance(node, ast.MatchMapping) and node.rest:
            frame.state.names[node.rest] = subject


def _assert(frame: Frame, node: ast.Assert) -> None:
    true, _ = guards.outcome(frame.value(node.test))
    # python -O leaves it out
    frame.state.learn({origin: marks & WEAK for origin, marks in true.items()})


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            frame.state.names.pop(target.id, None)


def _function(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    for decorator in node.decorator_list:
        frame.value(decorator)
    for default in (*node.args.defaults, *node.args.kw_defaults):
        frame.value(default)
    frame.state.names[node.name] = Value(ref=frame.closure(node))
    frame.inner.append(node)


def _class(frame: Frame, node: ast.ClassDef) -> None:
    frame.state.names.pop(node.name, None)
    if frame.function == "":
        execute(frame, [part for part in node.body if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)])
        return
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            frame.inner.append(part)


def _import(frame: Frame, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        frame.state.names.pop(alias.asname or alias.name.partition(".")[0], None)


_HANDLERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.Expr: _expression,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _stop,
    ast.Continue: _stop,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Match: _match,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import,
}
