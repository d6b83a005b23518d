"""What a check shows of the text it looks at: where it holds, and where it does not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.flow.frame import Returned
from agentcop_scanner.engine.values.state import meet
from agentcop_scanner.engine.values.value import (
    ALL,
    CONSTANT,
    NONE,
    UNKNOWN,
    WEAK,
    Facts,
    Marks,
    Value,
    cleared,
    weakened,
)
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.engine.flow.frame import Frame

_BLOCKING = words(
    "block deny denied forbid forbidden ban banned danger dangerous unsafe bad disallow reserved suspicious"
    " reject black"
)
_OPT_IN = words("allow dangerous dangerously unsafe insecure trust trusted opt optin permit acknowledge")
ASPECTS = {
    "url:host": cleared("url"),
    "url:scheme": NONE,
    "url:path": NONE,
    "url:port": NONE,
    "path:suffix": NONE,
    "path:name": cleared("path"),
    "path:part": weakened("path"),
    "mime": NONE,
    "ast": weakened("code"),
    "dns": cleared("url"),
}
"""What an allow-list shows that looks at one part of the text only."""
_FIRST_WORD = weakened("shell", "argument") | {"#token"}
"""What a check of its first word shows of a command."""


def union(first: Facts, second: Facts) -> Facts:
    """What two checks have shown that both hold."""
    if not first or not second:
        return first or second
    found = dict(first)
    for origin, marks in second.items():
        found[origin] = found.get(origin, NONE) | marks
    return found


def common(first: Facts, second: Facts) -> Facts:
    """What either of two checks has shown."""
    return meet(first, second)


def about(value: Value, marks: Marks) -> Facts:
    """The fact that the text in a value has these marks."""
    # of things that are not told apart a check of one says nothing about the others
    found = {origin: marks for origin in value.taints if origin != UNKNOWN} if marks else {}
    if value.is_a == "token":
        found.update({origin.above: _FIRST_WORD for origin in found if origin.fields})
    return found


def inside(value: Value, base: Value, marks: Marks) -> Facts:
    """The fact that a value lies in a base: it shows nothing of the text that the base itself was made of."""
    return {origin: known for origin, known in about(value, marks).items() if origin not in base.taints}


def outcome(value: Value) -> tuple[Facts, Facts]:
    """What is known where a value is true, and where it is false: what is empty is harmless."""
    if value.facts is not None:
        return value.facts
    if not value.taints or value.is_a.startswith(("url:", "path:", "ast", "dns", "token")):
        return {}, {}
    return {}, about(value, ALL)


def optional(before: list[ast.expr], false: Facts) -> Facts:
    """What a check shows that is made only where a policy is set: `if self.hosts and not allowed(url, self.hosts)`."""
    if not all(isinstance(node, ast.Name | ast.Attribute) for node in before):
        return {}
    return {origin: marks & WEAK for origin, marks in false.items()}


def permits(test: ast.expr) -> bool:
    """Whether a test is `allow_something`."""
    spelled = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    if isinstance(test, ast.Call):  # os.environ.get("ALLOW_SOMETHING"), self.allow()
        texts = [arg.value for arg in ast.walk(test) if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        asked = test.func.attr if isinstance(test.func, ast.Attribute) and not test.args else ""
        spelled = "_".join([asked, *texts])
    return bool(_OPT_IN & set(spelled.lower().split("_")))


def over_all(facts: tuple[Facts, Facts] | None) -> tuple[Facts, Facts] | None:
    """What is known of every element, if a check on any of them is asked for `all` or `any`."""
    return facts


def _listed(value: Value) -> Marks:
    """What it shows that a value is one of a given set."""
    return ASPECTS.get(value.is_a, ALL)


def _is_block_list(node: ast.expr) -> bool:
    name = ast.unparse(node).lower() if isinstance(node, ast.Name | ast.Attribute) else ""
    return any(word in name for word in _BLOCKING)


def compare(frame: Frame, node: ast.Compare) -> Value:
    """A comparison."""
    left = frame.value(node.left)
    true: Facts = {}
    false: Facts = {}
    for at, (operator, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
        right = frame.value(right_node)
        part_true, part_false = _one(operator, left, right_node, right)
        if at == 0 and _at_one_place(node.left, left) and isinstance(right.const, str):
            part_true, part_false = {}, {}
        true = union(true, part_true)
        false = part_false if at == 0 else common(false, part_false)
        left = right
    return Value(facts=(true, false), is_a="bool")


def _at_one_place(node: ast.expr, value: Value) -> bool:
    """Whether it is a character or a slice, `text[0]` or `text[:2]`: what it is says nothing of the rest."""
    if not isinstance(node, ast.Subscript) or value.is_a:
        return False
    where = node.slice.operand if isinstance(node.slice, ast.UnaryOp) else node.slice
    return isinstance(where, ast.Slice) or (isinstance(where, ast.Constant) and isinstance(where.value, int))


def _one(operator: ast.cmpop, left: Value, right_node: ast.expr, right: Value) -> tuple[Facts, Facts]:
    if isinstance(operator, ast.NotIn | ast.NotEq | ast.IsNot):
        positive: ast.cmpop = {ast.NotIn: ast.In(), ast.NotEq: ast.Eq(), ast.IsNot: ast.Is()}[type(operator)]
        true, false = _one(positive, left, right_node, right)
        return false, true
    if isinstance(operator, ast.In):
        return _membership(left, right_node, right)
    if isinstance(operator, ast.Is | ast.Eq):
        return _equality(left, right)
    return {}, {}


def _membership(left: Value, right_node: ast.expr, right: Value) -> tuple[Facts, Facts]:
    if right.is_a in {"path:parents", "paths"}:  # base in path.parents
        return inside(right, left, cleared("path")), {}
    if left.is_constant:
        return ({}, _holds(left, right)) if right.taints and right.items is None and right.fields is None else ({}, {})
    if any(origin in left.taints for origin in right.taints if origin.kind not in {"self", "unknown", "operator"}):
        return {}, {}
    if isinstance(right.const, str):  # each character is one of these, say: enough for anything but code
        return about(left, _listed(left) - cleared("code", "template") | weakened("code")), {}
    if _is_block_list(right_node):
        return {}, about(left, WEAK & _listed(left))
    return about(left, _listed(left)), {}  # what is in a set that the program holds is one of its own


_HOLDS: dict[str, Marks] = {
    **dict.fromkeys(("..", "../", "..\\", "\\", "~", "\0"), weakened("path")),
    "/": cleared("path"),
    **dict.fromkeys(
        ("__", "import", "exec", "eval", "os.", "system", "import os", "__import__", "subprocess"),
        weakened("code", "template"),
    ),
    **dict.fromkeys((";", "|", "&", "`", "$", "&&", "||", "$(", "\n"), weakened("shell")),
    **dict.fromkeys(("{{", "{%"), cleared("template")),
    **dict.fromkeys(("'", '"', "--", "drop", "DROP", "delete"), weakened("sql", "query")),
}
"""What it shows that a text does not hold another."""


def _holds(left: Value, right: Value) -> Facts:
    """What is known of a text that does not hold a constant, or one of a list of constants."""
    return about(right, _HOLDS.get(left.const, NONE) if isinstance(left.const, str) else WEAK)


def _equality(left: Value, right: Value) -> tuple[Facts, Facts]:  # noqa: PLR0911  # one way out for each kind of value
    for one, other in ((left, right), (right, left)):
        if other.is_a == "None" or other.const is False:
            true, false = outcome(one)
            if one.is_a == "checked" and other.is_a == "None":
                passed = union(true, false)
                return (
                    passed,
                    passed,
                )  # a check that cannot be seen, and gives what is wrong: whoever goes on has passed it
            return false, true
        if other.const is True and one.facts is not None:
            return one.facts
        if one.is_a == "commonpath":
            return about(one, cleared("path")), {}
        if one.taints and other.is_constant and not other.facts:
            return about(one, _listed(one)), {}
    if left.is_a == "url:host" or right.is_a == "url:host":
        return union(about(left, cleared("url")), about(right, cleared("url"))), {}
    if set(left.taints) == set(right.taints):
        if left.is_a in {"pathlib.Path", "path:name"}:
            return about(left, cleared("path")), {}
        return about(left, _as_its_copy(left, right)), {}
    return {}, {}


def _as_its_copy(one: Value, other: Value) -> Marks:
    """What text can no longer do that is the same as a harmless copy of it: `os.path.basename(name) == name`."""
    copies = [
        frozenset.intersection(*(t.marks for t in value.taints.values())) for value in (one, other) if value.taints
    ]
    return frozenset().union(*copies)


def returns(frame: Frame, value: Value) -> None:
    """Notes a way out of the function with a value, and what is known on it."""
    if not frame.state.live:
        return
    value = frame.state.settled(value)
    first = value.items[0] if value.items else value
    facts = dict(frame.state.facts)
    true, false = outcome(first)
    nothing = first.is_a == "None" or first.const is False or first.const == ""
    something = first.const is not None and bool(first.const)
    something = something or bool(first.text) or first.is_a in {"list", "dict"} or first.ref is not None
    frame.returned.append(
        Returned(
            value,
            facts,
            None if nothing else union(facts, true),
            None if something and not nothing else union(facts, false),
            frame.state.opted_in,
        )
    )


__all__ = [
    "CONSTANT",
    "Facts",
    "about",
    "common",
    "compare",
    "inside",
    "outcome",
    "over_all",
    "permits",
    "returns",
    "union",
]
