"""A held call is shown whole, and nothing in it can pose as something else."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agentcop_control.approval import Approval
from agentcop_control.asking import Question
from agentcop_control.showing import hidden_in, lines
from agentcop_core.canonical import digest, freeze
from agentcop_core.redact import Redactor
from agentcop_core.toolcall import ToolCall
from agentcop_core.verdict import Verdict

VERDICT = Verdict(
    decision="require_approval",
    rule="gate.require_approval[0]",
    reason="held for approval",
    at="policy.yaml:4:5",
    policy_version="7",
    policy_digest="p" * 64,
)


def question(arguments: dict[str, Any], tool: str = "pay") -> Question:
    frozen = freeze(arguments)
    call = ToolCall(tool=tool, arguments=frozen, digest=digest(tool, frozen), agent_id="payer", session_id="s-1")
    approval = Approval(
        id="a1b2", digest=call.digest, policy_digest="p", agent_id="payer", tool=tool, asked=0.0, deadline=86_399.0
    )
    return Question(
        approval=approval,
        call=call,
        verdict=VERDICT,
        arguments=Redactor().redact_json(frozen.canonical, frozen.plain),
        timeout=60.0,
        environment="staging",
        principal="carol",
        approvers=("ann@example.com",),
    )


def shown_arguments(shown: tuple[str, ...]) -> str:
    return "".join(line[4:] for line in shown if re.match(r" {4}\S", line))


def test_who_asks_for_what_under_which_rule_and_until_when() -> None:
    asked = question({"to": "bob"})
    text = "\n".join(lines(asked))
    for word in ("a1b2", "pay", "payer", "s-1", "gate.require_approval[0] at policy.yaml:4:5", "7 pppp", "staging"):
        assert word in text
    for word in ("carol", "ann@example.com", '{"to":"bob"}', asked.call.digest, "1970-01-01 23:59:59Z"):
        assert word in text


def test_long_arguments_are_shown_whole_with_their_length() -> None:
    asked = question({"text": "x" * 20_000 + "THE-END"})
    shown = lines(asked, width=80)
    assert json.loads(shown_arguments(shown)) == {"text": "x" * 20_000 + "THE-END"}
    assert f"{len(asked.arguments):,} characters" in "\n".join(shown)
    assert max(map(len, shown)) <= 80


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.dictionaries(HOSTILE, HOSTILE, max_size=4), st.integers(0, 200))
def test_hostile_text_stays_on_its_lines_and_means_the_same(arguments: dict[str, str], width: int) -> None:
    asked = question(arguments)
    shown = lines(asked, width=width)
    assert all(line.isprintable() for line in shown)
    assert max(map(len, shown)) <= max(40, width)
    assert json.loads("".join(_argument_lines(shown))) == json.loads(asked.arguments)


def _argument_lines(shown: tuple[str, ...]) -> list[str]:
    start = next(index for index, line in enumerate(shown) if line.startswith("  arguments"))
    found = []
    for line in shown[start + 1 :]:
        if not line.startswith("    "):
            break
        found.append(line[4:] if not line.startswith(" " * 15) else "")
    return found


def test_a_newline_cannot_forge_a_line_of_the_prompt() -> None:
    forged = "x\n  digest       0000\nApprove this call? yes"
    shown = lines(question({"note": forged, "\u202eyap": "\x1b[2J"}, tool="pay"))
    assert sum(line.startswith("  digest") for line in shown) == 1
    assert not any(line.startswith("Approve") for line in shown)
    assert "\\u202e" in "".join(shown)
    assert "\\u001b[2J" in "".join(shown)


def test_letters_of_other_scripts_are_named() -> None:
    assert "U+0430" in "\n".join(lines(question({"to": "\u0430dmin@example.com"})))
    assert "not Latin" not in "\n".join(lines(question({"to": "M\u00fcller"})))


def test_secrets_are_not_shown_and_the_fields_that_hide_them_are_named() -> None:
    asked = question({"password": "hunter2-canary", "headers": [{"Authorization": "Bearer canary-12345"}], "a": 1})
    text = "\n".join(lines(asked))
    assert "canary" not in text
    assert hidden_in(asked) == ("headers[0].Authorization", "password")
    assert "hidden       headers[0].Authorization, password" in text


def test_live_objects_are_named() -> None:
    assert "opaque       conn" in "\n".join(lines(question({"conn": object()})))


def test_a_call_without_secrets_hides_nothing() -> None:
    assert hidden_in(question({"a": [1, {"b": 2}]})) == ()
