"""No program makes a rule or the engine fail, and the same program gives the same findings."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcop_scanner.analysis import check
from agentcop_scanner.engine.program import Program
from agentcop_scanner.engine.tables import tables
from agentcop_scanner.rule import TaintRule
from agentcop_scanner.rules import all_rules
from agentcop_scanner.source.module import Module
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.finding import Finding

NAMES = st.sampled_from(["x", "y", "path", "name", "self", "os", "cmd", "f", "items", "url", "result", "allowed"])
CALLS = st.sampled_from(
    sorted(
        words(
            "open os.system subprocess.run eval str int len x.strip x.format self.f f os.path.join Path x.get"
            " requests.get pickle.loads getattr isinstance any all re.match x.append llm.invoke cursor.execute"
            " x.replace validate map"
        )
    )
)
TEXTS = st.sampled_from(
    ["''", "'a'", "'ls '", "'SELECT * FROM t WHERE a='", "'/data/'", "'{}'", "'%s'", "'..'", "b''", "1"]
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    few = st.lists(inner, max_size=3)
    return st.one_of(
        st.tuples(CALLS, few).map(lambda parts: f"{parts[0]}({', '.join(parts[1])})"),
        st.tuples(inner, inner, st.sampled_from(sorted(words("+ - * / % | & and or in == < is")))).map(
            lambda parts: f"({parts[0]} {parts[2]} {parts[1]})"
        ),
        few.map(lambda parts: f"[{', '.join(parts)}]"),
        st.tuples(inner, inner).map(lambda parts: f"{{'k': {parts[0]}, {parts[1]}: 1}}"),
        inner.map(lambda part: f"({part}).name"),
        inner.map(lambda part: f"({part})[0]"),
        inner.map(lambda part: f"({part})[1:]"),
        inner.map(lambda part: f"(not {part})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        st.tuples(inner, inner).map(lambda parts: f"[{parts[0]} for x in {parts[1]} if x]"),
        inner.map(lambda part: f"(lambda y: {part})"),
        st.tuples(NAMES, inner).map(lambda parts: f"({parts[0]} := {parts[1]})"),
        NAMES.map(lambda name: f"f'a{{{name}}}b{{{name}!r}}'"),
    )


EXPRESSIONS = st.recursive(st.one_of(NAMES, TEXTS), nested, max_leaves=12)


def block(lines: list[str]) -> str:
    return "\n".join("    " + line for text in (lines or ["pass"]) for line in text.split("\n"))


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, max_size=3).map(block)
    return st.one_of(
        st.tuples(EXPRESSIONS, body, body).map(lambda parts: f"if {parts[0]}:\n{parts[1]}\nelse:\n{parts[2]}"),
        st.tuples(NAMES, EXPRESSIONS, body).map(lambda parts: f"for {parts[0]} in {parts[1]}:\n{parts[2]}"),
        st.tuples(EXPRESSIONS, body).map(lambda parts: f"while {parts[0]}:\n{parts[1]}\n    break"),
        st.tuples(body, body).map(
            lambda parts: f"try:\n{parts[0]}\nexcept ValueError as e:\n{parts[1]}\nfinally:\n    pass"
        ),
        st.tuples(EXPRESSIONS, NAMES, body).map(lambda parts: f"with {parts[0]} as {parts[1]}:\n{parts[2]}"),
        st.tuples(NAMES, body).map(lambda parts: f"def {parts[0]}(x, *y, path=1, **z):\n{parts[1]}"),
        st.tuples(NAMES, body).map(lambda parts: f"class {parts[0].title()}(Base):\n{parts[1]}"),
        st.tuples(EXPRESSIONS, body).map(
            lambda parts: f"match {parts[0]}:\n    case 'a' | 1:\n        pass\n    case [x, *y]:\n{block([parts[1]])}"
        ),
    )


STATEMENTS = st.recursive(
    st.one_of(
        EXPRESSIONS,
        st.tuples(NAMES, EXPRESSIONS).map(lambda parts: f"{parts[0]} = {parts[1]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda parts: f"{parts[0]}.a = {parts[0]}['k'] = {parts[1]}"),
        st.tuples(NAMES, NAMES, EXPRESSIONS).map(lambda parts: f"{parts[0]}, *{parts[1]} = {parts[2]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda parts: f"{parts[0]} += {parts[1]}"),
        EXPRESSIONS.map(lambda part: f"assert {part}"),
        EXPRESSIONS.map(lambda part: f"raise ValueError({part})"),
        st.sampled_from(["pass", "import os", "from subprocess import run as f", "del x", "global y"]),
    ),
    compound,
    max_leaves=10,
)
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=5).map(
    lambda lines: (
        "import os, re, pickle, subprocess, requests\nfrom pathlib import Path\n"
        "@tool\ndef entry(x: str, path, **items):\n" + block(lines) + "\n" + "\n".join(lines)
    )
)
TABLES = tables(rule for rule in all_rules() if isinstance(rule, TaintRule))


def found_in(text: str) -> tuple[list[Finding], list[str]] | None:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    return check(Module(path="a.py", text=text, tree=tree, name="a"), Program(TABLES, lambda _: None))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(PROGRAMS)
def test_no_program_makes_a_rule_fail(text: str) -> None:
    outcome = found_in(text)
    if outcome is None:
        return
    findings, failed = outcome
    assert failed == []
    assert outcome == found_in(text)
    assert all(1 <= one.place.line <= text.count("\n") + 1 for one in findings)
