"""What is different between two policies, and whether it may let more through."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcop_policies import parse_policy
from agentcop_policies.document.changes import changes

BASE = """
agent_id: a
environment: production
gate: {default: block, allow: [a, {tool: r, when: 'args.x == 1'}], require_approval: [p], block: [w], strict: true}
approvals: {required: 1, approvers: [ann, bob]}
sandbox: {mode: process}
"""


def found(old: str, new: str) -> dict[str, bool]:
    one, other = (parse_policy(BASE.replace(old, text), name="p", folder=Path()).document for text in (old, new))
    return {change.text: change.loosens for change in changes(one, other)}


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("agent_id: a", "agent_id: a\nmode: observe", "mode: enforce → observe"),
        ("production", "staging", "environment: production → staging"),
        ("default: block", "default: allow", "gate.default: block → allow"),
        ("allow: [a,", "allow: [a, more,", 'gate.allow: "more" is new'),
        ("'args.x == 1'", "'args.x >= 1'", 'gate.allow: "r" when args.x >= 1 is new'),
        ("block: [w]", "block: [other]", 'gate.block: "w" is gone'),
        ("require_approval: [p]", "require_approval: [q]", 'gate.require_approval: "p" is gone'),
        ("strict: true", "strict: false", "gate.strict: True → False"),
        ("strict: true", "strict: true, log_failure: allow", "gate.log_failure: block → allow"),
        ("strict: true", "strict: true, max_argument: 2MiB", "gate.max_argument: 1048576 → 2097152"),
        ("strict: true", "strict: true, max_refusals: 6", "gate.max_refusals: 5 → 6"),
        ("strict: true", "strict: true, on_block: raise", "gate.on_block: raise_and_alert → raise"),
        ("strict: true", "strict: true, on_block: return_message", "gate.on_block: raise_and_alert → return_message"),
        ("[ann, bob]", "[ann, eve]", "approvals.approvers: ann, bob → ann, eve"),
        ("required: 1", "required: 1, local: true", "approvals.local: False → True"),
        ("sandbox: {mode: process}", "", "sandbox is gone"),
        ("sandbox: {mode: process}", "sandbox: {mode: process, timeout: 90}", "sandbox is another"),
    ],
)
def test_what_may_let_more_through_is_known_as_that(old: str, new: str, text: str) -> None:
    assert found(old, new)[text] is True


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("allow: [a,", "allow: [", 'gate.allow: "a" is gone'),
        ("block: [w]", "block: [w, more]", 'gate.block: "more" is new'),
        ("required: 1", "required: 2", "approvals.required: 1 → 2"),
        ("[ann, bob]", "[ann]", "approvals.approvers: ann, bob → ann"),
        ("strict: true", "strict: true, max_refusals: 1", "gate.max_refusals: 5 → 1"),
        ("strict: true", "strict: true, limits: [{tool: a, max_calls: 1, per: run}]", "gate.limits is new"),
    ],
)
def test_what_only_tightens_is_known_as_that(old: str, new: str, text: str) -> None:
    assert set(found(old, new).items()) == {(text, False)}


def test_what_no_call_depends_on_is_no_change() -> None:
    assert found("agent_id: a", "agent_id: a\nversion: '9'\ntests: [{call: {tool: w}, expect: block}]") == {}
