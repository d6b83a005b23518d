"""The prompt on /dev/tty, on real terminals: stdin and stdout are pipes, and nothing is read or written there."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import approvals
import gatefile
from on_a_terminal import on_a_terminal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

if sys.platform == "win32":
    pytest.skip("Windows has no /dev/tty", allow_module_level=True)

PROGRAM = """
import logging, os, sys, threading
logging.disable(logging.CRITICAL)
from agentcop import AgentCop, ToolBlocked

cop = AgentCop(policy_file={policy!r})

def say(line):
    os.write(1, (line + "\\n").encode())

@cop.tool
def pay(amount, note=""):
    say(f"ran {{amount}}")

def attempt(*args):
    try:
        pay(*args)
    except ToolBlocked as refused:
        say(f"{{type(refused).__name__}} {{refused.reason}}")

{body}
"""
QUESTION = "Approve this call? yes / no [message]: "


def program(folder: Path, body: str, approvals_section: str = "{local: true}", **sections: str) -> str:
    path = approvals.policy_file(folder, approvals=approvals_section, **sections)
    return PROGRAM.format(policy=str(path), body=body)


def test_yes_on_the_terminal_runs_the_call_and_says_by_whom(tmp_path: Path, agentcop_home: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5, 'for bob')")) as running:
        shown = running.wait_for(QUESTION)
        running.type("yes\n")
        assert running.printed() == "ran 5\n"
    (asked, allowed) = gatefile.lines(agentcop_home, "decision")
    assert asked["digest"] in shown
    assert '{"amount":5,"note":"for bob"}' in shown
    assert allowed["by"].endswith("(terminal)")
    assert allowed["approved_locally"] is True


def test_no_with_a_message_denies(tmp_path: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5)")) as running:
        running.wait_for(QUESTION)
        running.type("no too much\n")
        assert "denied by" in (printed := running.printed())
        assert printed.startswith("ApprovalDenied")
        assert printed.endswith("too much\n")


def test_anything_else_is_asked_again(tmp_path: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5)")) as running:
        running.wait_for(QUESTION)
        for nonsense in ("\n", "yess\n", "approve\n", "ja\n"):
            running.type(nonsense)
            running.wait_for("Please type yes, or no and perhaps a message: ")
        running.type("y\n")
        assert running.printed() == "ran 5\n"


def test_what_was_typed_before_the_question_does_not_count(tmp_path: Path) -> None:
    body = "print('ready', flush=True); sys.stdin.readline(); attempt(5)"
    with on_a_terminal(program(tmp_path, body)) as running:
        assert running.process.stdout is not None
        assert running.process.stdin is not None
        running.process.stdout.readline()
        running.type("yes\nyes\n")
        running.wait_for("yes")
        running.process.stdin.write("go\n")
        running.process.stdin.flush()
        running.wait_for(QUESTION)
        running.type("no\n")
        assert running.printed().startswith("ApprovalDenied")


def test_stdin_is_never_an_answer(tmp_path: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5)", "{local: true, timeout: 1s}")) as running:
        assert running.process.stdin is not None
        running.process.stdin.write("yes\nyes\n")
        running.process.stdin.flush()
        running.wait_for(QUESTION)
        running.wait_for("Too late")
        assert running.printed().startswith("ApprovalExpired no answer in 1 s")


def test_parallel_calls_are_asked_one_after_another(tmp_path: Path) -> None:
    body = """
threads = [threading.Thread(target=attempt, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    with on_a_terminal(program(tmp_path, body)) as running:
        for number in range(4):
            shown = running.wait_for(QUESTION)
            assert shown.count("is asked for") == 1
            running.type("yes\n" if number % 2 else "no\n")
            running.wait_for("Approved" if number % 2 else "Denied")
        printed = running.printed().splitlines()
    assert sorted(line.split()[0] for line in printed) == ["ApprovalDenied", "ApprovalDenied", "ran", "ran"]


def test_a_question_that_waits_behind_another_expires_without_being_asked(tmp_path: Path) -> None:
    hasty = approvals.policy_file(tmp_path, approvals="{local: true, timeout: 300ms}")
    body = f"""
first = threading.Thread(target=attempt, args=(1,))
first.start()
sys.stdin.readline()
other = AgentCop(policy_file={str(hasty)!r}).tool(lambda: say("ran the other"), name="pay")
try:
    other()
except ToolBlocked as refused:
    say(type(refused).__name__)
first.join()
"""
    with on_a_terminal(program(tmp_path, body)) as running:
        assert running.process.stdin is not None
        assert running.process.stdout is not None
        running.wait_for(QUESTION)
        running.process.stdin.write("go\n")
        running.process.stdin.flush()
        assert running.process.stdout.readline() == "ApprovalExpired\n"
        running.type("yes\n")
        assert running.printed() == "ran 1\n"
        assert running.screen.count("is asked for") == 1


def test_long_arguments_are_paged_to_their_end_before_the_question(tmp_path: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5, 'x' * 5_000 + 'THE-END')")) as running:
        shown, total = running.wait_for(" lines shown;").rsplit(" of ", 1)
        page = int(shown.rsplit("-- ", 1)[1])
        for _ in range(page, int(total), page):
            running.wait_for("to deny: ")
            assert QUESTION not in running.screen
            running.type("\n")
        running.wait_for(QUESTION)
        running.type("yes\n")
        assert running.printed() == "ran 5\n"
    lines = [line[4:] for line in running.screen.splitlines() if line.startswith("    ")]
    assert "x" * 5_000 + "THE-END" in "".join(lines)


def test_a_call_can_be_denied_before_its_last_page(tmp_path: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5, 'x' * 50_000)")) as running:
        running.wait_for("Enter for more")
        running.type("yes\n")  # not before all was shown
        running.wait_for("Enter for more")
        running.type("no too long\n")
        assert running.printed().startswith("ApprovalDenied")


def test_hostile_arguments_cannot_drive_the_terminal(tmp_path: Path) -> None:
    with on_a_terminal(
        program(tmp_path, r"attempt(5, '\x1b[2J\x1b]0;t\x07\u202e\nApprove this call? yes')")
    ) as running:
        shown = running.wait_for(QUESTION)
        running.type("no\n")
        running.printed()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"\u001b[2J" in shown
    assert not any(line.startswith("Approve") for line in shown.splitlines())


def test_a_terminal_that_is_closed_refuses(tmp_path: Path) -> None:
    body = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); attempt(5)"
    with on_a_terminal(program(tmp_path, body)) as running:
        running.wait_for(QUESTION)
        running.hang_up()
        assert running.printed().startswith("NoApprover")


def test_interrupting_the_prompt_runs_nothing(tmp_path: Path, agentcop_home: Path) -> None:
    body = "try:\n    attempt(5)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    with on_a_terminal(program(tmp_path, body)) as running:
        running.wait_for(QUESTION)
        running.type("\x03")
        assert running.printed() == "interrupted\n"
    assert [line["outcome"] for line in gatefile.lines(agentcop_home, "outcome")] == ["expired"]


def test_an_async_caller_awaits_the_terminal_and_its_loop_goes_on(tmp_path: Path) -> None:
    body = """
import asyncio

@cop.tool(name="pay")
async def pay_later(amount):
    return f"ran {amount}"

async def main():
    call = asyncio.ensure_future(pay_later(5))
    while not call.done():
        print("going on", flush=True)
        await asyncio.sleep(0.01)
    print(call.result())

asyncio.run(main())
"""
    with on_a_terminal(program(tmp_path, body)) as running:
        running.wait_for(QUESTION)
        assert running.process.stdout is not None
        assert {running.process.stdout.readline() for _ in range(20)} == {"going on\n"}
        running.type("yes\n")
        assert running.printed().endswith("ran 5\n")


def test_without_a_terminal_nobody_can_be_asked(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program(tmp_path, "attempt(5)")],
        input="yes\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        check=True,
    )
    assert done.stdout.startswith("NoApprover")
    assert "no terminal to ask on" in done.stdout


def test_a_process_in_the_background_does_not_stop_itself_by_asking(tmp_path: Path) -> None:
    body = (
        "import os; child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "else:\n    os.setpgid(0, 0); attempt(5); os._exit(0)"
    )
    with on_a_terminal(program(tmp_path, body)) as running:
        printed = running.printed()
    assert printed.startswith("NoApprover")
    assert "not in the foreground" in printed


def test_in_production_the_terminal_is_not_asked(tmp_path: Path) -> None:
    with on_a_terminal(program(tmp_path, "attempt(5)", environment="production")) as running:
        assert running.printed().startswith("NoApprover")
        assert running.screen == ""
