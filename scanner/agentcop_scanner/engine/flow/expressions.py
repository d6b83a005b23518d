"""The value of an expression."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling import calls
from agentcop_scanner.engine.calling.callsite import name_words
from agentcop_scanner.engine.flow import attributes, guards, strings
from agentcop_scanner.engine.values.refs import ClassRef, FunctionRef
from agentcop_scanner.engine.values.value import CONSTANT, Value, as_piece, combined, literal, merge, unknown
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.engine.flow.frame import Frame

_MAX_ITEMS = 200
_COMPLAINTS = words(
    "error errors err problem problems rejection reason issue issues violation violations denial complaint"
)
"""What is called so is true where a check has failed."""


def evaluate(frame: Frame, node: ast.expr | None) -> Value:
    """What an expression is worth here. Looks at each part of it once."""
    if node is None or not frame.spend():
        return CONSTANT
    handler = _HANDLERS.get(node.__class__)
    return handler(frame, node) if handler else _parts(frame, node)


def _constant(_frame: Frame, node: ast.Constant) -> Value:
    return literal(node.value)


def _parts(frame: Frame, node: ast.expr) -> Value:
    """Of an expression of no known kind: whatever its parts are."""
    return combined([evaluate(frame, child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])


def _name(frame: Frame, node: ast.Name) -> Value:
    known = frame.state.names.get(node.id)
    if known is not None:
        return known
    known = frame.unit.names.get(node.id)
    if known is None:
        known = global_name(frame, node)
        if not known.taints:  # of what nothing is known each place counts for itself
            frame.unit.names[node.id] = known
    return known


def global_name(frame: Frame, node: ast.Name) -> Value:  # noqa: PLR0911  # one way out for each kind of name
    """A name that the function itself does not set."""
    name, module, unit = node.id, frame.module, frame.unit
    if name in unit.functions:
        return Value(ref=FunctionRef(unit=unit, scope=unit.functions[name]), is_a=f"={name}")
    if name in module.scopes.classes:
        return Value(ref=ClassRef(unit=unit, qualname=name), is_a=f"={name}")
    dotted = module.resolve(node)
    if name in module.imports or dotted != name:
        return Value(ref=frame.world.lookup(unit, dotted), is_a=f"={dotted}")
    assigned = module.assigned.get(name)
    if assigned is not None:
        const = module.constant(assigned)
        if const is not None:
            return literal(const)
        return _module_value(frame, assigned)
    if module.starred and (ref := frame.world.starred(unit, name)) is not None:
        return Value(ref=ref, is_a=f"={name}")
    if name in _BUILTINS:
        return Value(is_a=f"={name}")
    return unknown(line=node.lineno)


def _module_value(frame: Frame, node: ast.expr) -> Value:
    """What module level gives a name once: containers of constants are constant, the rest has at most a type."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.Constant):
        leaves = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name | ast.Call)]
        return CONSTANT if not leaves else Value(is_a="table")
    if isinstance(node, ast.Call):
        dotted = frame.module.resolve(node.func)
        if dotted == "re.compile":
            pattern = frame.module.constant(node.args[0]) if node.args else None
            return Value(is_a="re.Pattern", text=pattern if isinstance(pattern, str) else "")
        if dotted in {"frozenset", "set", "tuple", "dict", "list", "os.environ.get", "os.getenv"}:
            return CONSTANT
        ref = frame.world.lookup(frame.unit, dotted)
        return unknown(calls.made_by(dotted, ref))
    return unknown()


def _attribute(frame: Frame, node: ast.Attribute) -> Value:
    return attributes.read(frame, node, evaluate(frame, node.value))


def _subscript(frame: Frame, node: ast.Subscript) -> Value:  # noqa: PLR0911  # one way out for each kind of container
    value = evaluate(frame, node.value)
    if isinstance(node.slice, ast.Slice):
        return _sliced(frame, node.slice, value)
    key = evaluate(frame, node.slice)
    if value.is_a.startswith("=") and not value.taints:
        return value if value.ref else attributes.special(value.is_a[1:], None) or value
    if isinstance(key.const, str):
        return attributes.entry(value, key.const)
    if isinstance(key.const, int) and value.items is not None:
        at = key.const
        return value.items[at] if -len(value.items) <= at < len(value.items) else value.element()
    if value.is_a == "splitext" and key.const in {1, -1}:
        return Value(value.taints, is_a="path:suffix")
    if value.is_a == "tokens" and key.const == 0:
        return Value(value.element().taints, is_a="token")
    return value.element()


def _sliced(frame: Frame, node: ast.Slice, value: Value) -> Value:
    for part in (node.lower, node.upper, node.step):
        evaluate(frame, part)
    if (
        value.items is not None
        and isinstance(node.lower, ast.Constant | None)
        and node.upper is None
        and node.step is None
    ):
        lower = node.lower.value if node.lower is not None else 0
        if isinstance(lower, int) and lower >= 0:
            kept = value.items[lower:]
            return Value(combined(kept).taints, items=kept)
    if node.lower is not None:
        return Value(as_piece(value.taints), is_a=value.is_a, text=value.text)
    return Value(value.taints, is_a=value.is_a, text=value.text)


def _bool_op(frame: Frame, node: ast.BoolOp) -> Value:
    """`and`, `or`: each part is looked at knowing that those before it did not end it."""
    both_and = isinstance(node.op, ast.And)
    before = dict(frame.state.facts)
    values: list[Value] = []
    true: guards.Facts = {}
    false: guards.Facts = {}
    for at, part in enumerate(node.values):
        value = evaluate(frame, part)
        values.append(frame.state.settled(value))
        part_true, part_false = guards.outcome(value)
        if at == 0:
            true, false = part_true, part_false
        elif both_and:
            optional = guards.optional(node.values[:at], part_false)
            true, false = guards.union(true, part_true), guards.union(guards.common(false, part_false), optional)
        else:
            true, false = guards.common(true, part_true), guards.union(false, part_false)
        frame.state.learn(part_true if both_and else part_false)
    frame.state.facts = before
    found = merge(values)
    return Value(
        found.taints,
        is_a=found.is_a or next((value.is_a for value in values if value.is_a and not value.is_a.startswith("=")), ""),
        const=found.const,
        text=found.text,
        items=found.items,
        fields=found.fields,
        ref=found.ref,
        facts=(true, false),
    )


def _not(frame: Frame, node: ast.UnaryOp) -> Value:
    value = evaluate(frame, node.operand)
    if not isinstance(node.op, ast.Not):
        return literal(-value.const) if isinstance(value.const, int | float) else CONSTANT
    true, false = guards.outcome(value)
    const = None if value.const is None else not value.const
    return Value(const=const, facts=(false, true))


def _if_expression(frame: Frame, node: ast.IfExp) -> Value:
    true, false = guards.outcome(evaluate(frame, node.test))
    before = dict(frame.state.facts)
    asked = frame.state.opted_in
    frame.state.learn(true)
    frame.state.opted_in = asked or guards.permits(node.test)
    first = frame.state.settled(evaluate(frame, node.body))
    frame.state.opted_in = asked
    frame.state.facts = dict(before)
    frame.state.learn(false)
    second = frame.state.settled(evaluate(frame, node.orelse))
    frame.state.facts = before
    return merge((first, second))


def _sequence(frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    items: list[Value] = []
    whole = len(node.elts) <= _MAX_ITEMS
    for entry in node.elts:
        if isinstance(entry, ast.Starred):
            value = evaluate(frame, entry.value)
            if value.items is None:
                items.append(Value(as_piece(value.element().taints) if items else value.element().taints, is_a="*"))
            else:
                items += value.items
        else:
            items.append(evaluate(frame, entry))
    return Value(combined(items).taints, items=tuple(items) if whole else None, is_a="list")


def _dict(frame: Frame, node: ast.Dict) -> Value:
    fields: dict[str, Value] = {}
    others: list[Value] = []
    for key, item in zip(node.keys, node.values, strict=True):
        value = evaluate(frame, item)
        if key is None:
            fields.update(value.fields or {})
            others.append(value)
            continue
        name = evaluate(frame, key)
        if isinstance(name.const, str):
            fields[name.const] = value
        else:
            others += [name, value]
    role, content = fields.get("role"), fields.get("content")
    rule = frame.world.tables.rules.get("AC152")
    if rule is not None and role is not None and content is not None and role.const in {"system", "developer"}:
        frame.arrive(rule, node, "a message of the system", content)
    return Value(combined([*fields.values(), *others]).taints, fields=fields if not others else None, is_a="dict")


def _comprehension(frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    state = frame.state
    inner = state.copy()
    frame.state = inner
    for generator in node.generators:
        source = evaluate(frame, generator.iter)
        bind(frame, generator.target, source.element() if source.items is None else merge(source.items))
        for test in generator.ifs:
            inner.learn(guards.outcome(evaluate(frame, test))[0])
    if isinstance(node, ast.DictComp):
        value = merge((evaluate(frame, node.key), evaluate(frame, node.value)))
    else:
        value = evaluate(frame, node.elt)
    value = inner.settled(value)
    frame.state = state
    return Value(value.taints, text=value.text, is_a="each", facts=guards.over_all(value.facts))


def _lambda(frame: Frame, node: ast.Lambda) -> Value:
    return Value(ref=frame.closure(node))


def _walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(frame, node.value)
    bind(frame, node.target, value)
    return value


def _yield(frame: Frame, node: ast.Yield | ast.YieldFrom) -> Value:
    value = evaluate(frame, node.value)
    guards.returns(frame, value)
    return unknown()


def bind(frame: Frame, target: ast.expr, value: Value) -> None:
    """Gives a value to what stands left of an assignment."""
    state = frame.state
    if isinstance(target, ast.Name):
        if value.is_a == "checked" and value.facts and name_words(target.id) & _COMPLAINTS:
            value = Value(value.taints, is_a="checked", facts=(value.facts[1], value.facts[0]))
        state.names[target.id] = state.settled(value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(frame, target, value)
    elif isinstance(target, ast.Starred):
        bind(frame, target.value, Value(as_piece(value.taints)))
    elif isinstance(target, ast.Attribute):
        if isinstance(target.value, ast.Name):
            state.names[f"{target.value.id}.{target.attr}"] = state.settled(value)
    elif isinstance(target, ast.Subscript):
        _bind_entry(frame, target, value)


def _unpack(frame: Frame, target: ast.Tuple | ast.List, value: Value) -> None:
    exact = value.items is not None and len(value.items) == len(target.elts)
    for at, entry in enumerate(target.elts):
        if exact and value.items is not None:
            bind(frame, entry, value.items[at])
        elif at == 0 and value.facts is not None:
            found = value.element()
            bind(frame, entry, Value(found.taints, is_a=found.is_a, facts=value.facts))
        else:
            bind(frame, entry, attributes.unpacked(value, at))


def _bind_entry(frame: Frame, target: ast.Subscript, value: Value) -> None:
    """An entry of a container: the container may hold it from now on."""
    key = evaluate(frame, target.slice)
    if not isinstance(target.value, ast.Name):
        return
    state, name = frame.state, target.value.id
    old = state.names.get(name)
    if old is None:
        return
    value = state.settled(value)
    fields = {**old.fields, key.const: value} if old.fields is not None and isinstance(key.const, str) else None
    taints = combined((old, value)).taints if fields is None else combined(fields.values()).taints
    state.names[name] = Value(taints, is_a=old.is_a, fields=fields, ref=old.ref)


_BUILTINS = frozenset(dir(builtins))
_HANDLERS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: calls.call,
    ast.BinOp: strings.binary,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _not,
    ast.Compare: guards.compare,
    ast.IfExp: _if_expression,
    ast.JoinedStr: strings.f_string,
    ast.FormattedValue: strings.formatted,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.Await: lambda frame, node: evaluate(frame, node.value),
    ast.Starred: lambda frame, node: evaluate(frame, node.value),
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
}
__all__ = ["bind", "evaluate", "global_name"]
