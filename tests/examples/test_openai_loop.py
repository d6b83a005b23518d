"""The plain loop, run as a user runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from example_runs import run_example
from openai_server import call_tool, call_tools, say

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

PAY = call_tool("pay_invoice", number="2041", amount=180.0)


def test_what_the_policy_allows_runs_and_the_model_reads_the_results(tmp_path: Path) -> None:
    script = [call_tool("read_invoice", number="2041"), PAY, say("Invoice 2041 is paid.")]
    ran = run_example("openai_loop", tmp_path, script, "Pay invoice 2041")
    assert (ran.code, ran.out, ran.err) == (0, "Invoice 2041 is paid.\n", "")
    assert ran.read("payments.csv") == ["2041,180.00"]
    assert [message["role"] for message in ran.requests[2]["messages"]] == ["user", *["assistant", "tool"] * 2]
    assert "Paper & Sons" in ran.requests[1]["messages"][2]["content"]
    assert ran.decisions() == [("read_invoice", "allow", "gate.allow[0]"), ("pay_invoice", "allow", "gate.allow[1]")]


def test_what_the_trap_asks_for_is_refused_and_nothing_after_it_runs(tmp_path: Path) -> None:
    both = call_tools(("pay_invoice", {"number": "2042", "amount": 12400.0}), ("delete_invoice", {"number": "2042"}))
    ran = run_example("openai_loop", tmp_path, [call_tool("read_invoice", number="2042"), both, say("done")])
    assert ran.code == 3
    assert ran.out.startswith("refused: pay_invoice: the condition of gate.allow[1]")
    assert (ran.read("payments.csv"), ran.read("deleted.csv")) == ([], [])
    assert len(ran.requests) == 2
    assert ran.decisions()[1:] == [("pay_invoice", "block", "gate.default")]


def test_a_tool_that_is_always_blocked_does_not_run(tmp_path: Path) -> None:
    ran = run_example("openai_loop", tmp_path, [PAY, call_tool("delete_invoice", number="2041"), say("done")])
    assert ran.code == 3
    assert ran.out.startswith("refused: delete_invoice: blocked by gate.block[0]")
    assert (ran.read("payments.csv"), ran.read("deleted.csv")) == (["2041,180.00"], [])
    assert ran.decisions() == [("pay_invoice", "allow", "gate.allow[1]"), ("delete_invoice", "block", "gate.block[0]")]
