"""The LangChain and the LangGraph example, run as a user runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from example_runs import run_example
from openai_server import call_tool, call_tools, say

if TYPE_CHECKING:
    from pathlib import Path

    from openai_server import Reply

pytestmark = pytest.mark.frameworks


def hands_to(worker: str) -> Reply:
    return say(json.dumps({"worker": worker}))


def test_the_support_agent_does_what_is_allowed_and_what_the_manager_approves(tmp_path: Path) -> None:
    script = [
        call_tool("find_order", order="o-17"),
        call_tools(
            ("refund", {"order": "o-17", "amount": 80.0}), ("send_mail", {"to": "ann@shop.example", "text": "Done"})
        ),
        say("You get 80.00 back."),
    ]
    ran = run_example("langchain_agent", tmp_path, script, "Refund 80 for order o-17")
    assert (ran.code, ran.out) == (0, "You get 80.00 back.\n"), ran.err
    assert sorted(ran.read("done.txt")) == ["mailed ann@shop.example: Done", "refunded 80.00 for o-17"]
    assert "arrived broken" in ran.requests[1]["messages"][-1]["content"]
    assert ("refund", "require_approval", "gate.require_approval[0]") in ran.decisions()


def test_the_support_agents_trap_is_blocked_and_its_caller_is_told(tmp_path: Path) -> None:
    script = [
        call_tool("find_order", order="o-18"),
        call_tool("run_sql", statement="DROP TABLE orders"),
        say("done"),
    ]
    ran = run_example("langchain_agent", tmp_path, script)
    assert ran.code == 3, ran.err
    assert ran.out.startswith("refused: run_sql: blocked by gate.block[0]")
    assert (ran.read("done.txt"), len(ran.requests)) == ([], 2)
    assert ran.decisions() == [("find_order", "allow", "gate.allow[0]"), ("run_sql", "block", "gate.block[0]")]


def test_what_the_manager_denies_does_not_happen(tmp_path: Path) -> None:
    ran = run_example(
        "langchain_agent", tmp_path, [call_tool("refund", order="o-18", amount=240.0), say("done")], "Refund 240"
    )
    assert ran.code == 3, ran.err
    assert "240.00 is over the limit of 100.00" in ran.out
    assert (ran.read("done.txt"), len(ran.requests)) == ([], 1)


def test_the_teams_editor_is_told_of_its_refusal_and_the_team_goes_on(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index").write_text("welcome")
    script = [
        hands_to("researcher"),
        call_tool("read_note", topic="release"),
        say("Version 2 is out on Monday."),
        hands_to("editor"),
        call_tools(("publish", {"page": "release", "text": "Out on Monday."}), ("delete_page", {"page": "index"})),
        say("The page is published; the index I may not delete."),
        hands_to("nobody"),
    ]
    ran = run_example("langgraph_team", tmp_path, script, "Write the release page")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "The page is published; the index I may not delete.",
        "calls: 2 allowed, 1 blocked",
    ]
    assert {page.name: page.read_text() for page in pages.iterdir()} == {
        "index": "welcome",
        "release": "Out on Monday.",
    }
    read = [message["content"] for message in ran.requests[5]["messages"] if message["role"] == "tool"]
    assert "Blocked by policy (gate.block[0]). Do not retry; tell the user." in read
    assert sorted(ran.decisions()) == [
        ("delete_page", "block", "gate.block[0]"),
        ("publish", "allow", "gate.allow[1]"),
        ("read_note", "allow", "gate.allow[0]"),
    ]
