from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from agentcop.cli import main
from agentcop_processor.gatelog import GateLog
from chained import decision, lines_of, put_lines, write_log

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["gate", *arguments])


def test_a_decision_and_its_outcome_are_one_line(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, now=lambda: 1_700_000_000.25)
    head = log.append(decision(1, at="policy.yaml:3:4"), raw_args=b'{"q":"x"}')
    log.append({"kind": "outcome", "call": "call-1", "outcome": "ok", "of": str(head), "ms": 12.34})
    log.append(decision(2, "block", at="policy.yaml:9:7"), raw_args=b"{}")
    allowed, blocked = run("log").stdout.splitlines()
    assert allowed == (
        '2023-11-14 22:13:20.250Z  allow             web_search {"q":"x"}  gate.allow[0]  at policy.yaml:3:4'
        "  agent agent-1  → ok in 12.3 ms"
    )
    assert blocked == (
        "2023-11-14 22:13:20.250Z  block             web_search {}  gate.block[0]  at policy.yaml:9:7"
        "  agent agent-1  → did not run"
    )


def test_a_refusal_says_why_and_the_rule_once(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.append(decision(1, "block", rule="gate.default", reason="not on any list; default is block", at="p.yaml:3:1"))
    log.append(decision(2, "block", reason='blocked by gate.block[0] ("web_search")', at="p.yaml:9:7"))
    default, listed = (line.split("web_search  ")[1].split("  agent ")[0] for line in run("log").stdout.splitlines())
    assert default == "gate.default  not on any list; default is block  at p.yaml:3:1"
    assert listed == 'blocked by gate.block[0] ("web_search")  at p.yaml:9:7'


def test_an_approval_says_who_decided_and_with_which_words(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    denied, failed = (str(log.append(decision(call, "require_approval"))) for call in (1, 2))
    said = {"outcome": "denied", "by": "ann", "message": "too \x1b[31mrisky", "ms": 1.5}
    log.append({"kind": "outcome", "call": "call-1", "of": denied, **said})
    said = {"outcome": "approver_failed", "error": "the approver raised OSError", "message": ""}
    log.append({"kind": "outcome", "call": "call-2", "of": failed, **said})
    assert [line.rpartition("→ ")[2] for line in run("log").stdout.splitlines()] == [
        "denied by ann in 1.5 ms: too \\x1b[31mrisky",
        "approver_failed: the approver raised OSError",
    ]


@pytest.mark.parametrize("outcome", ["sandbox_refused", "changed", "approval_refused"])
def test_a_call_that_was_refused_after_its_verdict_is_not_shown_as_allowed(agentcop_home: Path, outcome: str) -> None:
    log = GateLog(agentcop_home)
    head = str(log.append(decision(1)))
    log.append({"kind": "outcome", "call": "call-1", "tool": "web_search", "outcome": outcome, "of": head})
    (line,) = run("log").stdout.splitlines()
    assert line.split()[2:4] == ["refused", "web_search"]
    assert "allow " not in line
    assert line.endswith(f"→ {outcome}")


def test_the_outcome_of_a_boxed_call_says_which_engine_ran_it_and_whether_by_fallback(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    for call, more in enumerate(({}, {"sandbox_fallback": True})):
        head = str(log.append(decision(call)))
        box = {"sandbox_mode": "process", "sandbox_engine": "process", **more}
        log.append({"kind": "outcome", "call": f"call-{call}", "outcome": "ok", "of": head, "ms": 1.5, **box})
    assert [line.rpartition("→ ")[2] for line in run("log").stdout.splitlines()] == [
        "ok in 1.5 ms, in a box of process",
        "ok in 1.5 ms, in a box of process, by fallback",
    ]


def test_what_a_box_was_refused_cannot_drive_a_terminal_nor_break_the_listing(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    for call, refused in enumerate(([{"place": "\x1b[2Jx", "why": "no", "times": "\x1b[2J"}], ["x"], {"x": 1}, [{}])):
        head = str(log.append(decision(call)))
        line = {"kind": "outcome", "call": f"call-{call}", "outcome": "ok", "of": head, "egress_unlisted": 7}
        log.append({**line, "egress_refused": refused})
    first, *rest = run("log").stdout.splitlines()
    assert first.endswith("→ ok, egress refused: \\x1b[2Jx \\x1b[2J times (no); 7 other requests")
    assert len(rest) == 3


def test_nothing_found_is_said_beside_the_empty_listing(agentcop_home: Path) -> None:
    GateLog(agentcop_home).append(decision(1))
    for form in ("text", "json"):
        done = run("log", "--blocked", "-f", form)
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr == f"nothing in {agentcop_home / 'gate.log'} matches\n"


def test_decisions_keep_their_order_whenever_their_outcomes_come(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    heads = [log.append(decision(call, tool=f"tool_{call}")) for call in range(4)]
    for call in (2, 0, 3):
        log.append({"kind": "outcome", "call": f"call-{call}", "outcome": f"end{call}", "of": str(heads[call])})
    shown = [(line.split()[3], line.rpartition("→ ")[2]) for line in run("log").stdout.splitlines()]
    assert shown == [("tool_0", "end0"), ("tool_1", "no outcome yet"), ("tool_2", "end2"), ("tool_3", "end3")]


def test_hostile_values_reach_no_terminal_and_long_ones_are_counted(agentcop_home: Path) -> None:
    evil = "\x1b]0;owned\x07\u202e\x9b2J"
    log = GateLog(agentcop_home)
    log.append(decision(1, "block", tool=evil, rule=evil, at=evil, agent=evil), raw_args=b'{"a":"%b"}' % (b"y" * 500))
    log.append({"kind": "policy", evil: evil})
    for form in ("text", "json"):
        shown = run("log", "-f", form).stdout
        assert all(line.isprintable() for line in shown.splitlines())
        assert shown.count("\n") == (2 if form == "text" else 3)
    assert "… +408 chars" in run("log").stdout


def test_observed_blocks_say_would(agentcop_home: Path) -> None:
    GateLog(agentcop_home).append(decision(1, "block", mode="observe"))
    assert "would block" in run("log").stdout


def test_json_is_the_lines_as_they_stand(agentcop_home: Path) -> None:
    write_log(agentcop_home)
    assert run("log", "-f", "json").stdout.encode().splitlines() == lines_of(agentcop_home)


def test_filters_reach_the_reader(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.append(decision(1, "block", tool="shell"))
    log.append(decision(2, session="s-2"))
    for arguments, count in [
        (("--blocked",), 1),
        (("--tool", "shell"), 1),
        (("--session", "s-2"), 1),
        (("--agent", "nobody"), 0),
        (("--since", "1h"), 2),
        (("--home", str(agentcop_home)), 2),
    ]:
        assert (arguments, len(run("log", *arguments).stdout.splitlines())) == (arguments, count)


def test_lines_that_cannot_be_read_are_told_on_stderr(agentcop_home: Path) -> None:
    write_log(agentcop_home, writers=1)
    put_lines(agentcop_home, [b"rubbish", *lines_of(agentcop_home)])
    done = run("log")
    assert done.exit_code == 0
    assert done.stderr == "gate.log: 1 lines could not be read, the first at gate.log:1\n"


def test_verify_says_intact_and_that_the_tail_is_not_witnessed(agentcop_home: Path, tmp_path: Path) -> None:
    heads = write_log(agentcop_home)
    done = run("verify")
    assert done.exit_code == 0
    assert "intact" in done.stdout
    assert "tail not witnessed" in done.stdout
    (tmp_path / "heads").write_text("\n".join(map(str, heads)))
    assert "not witnessed" not in run("verify", "--heads", str(tmp_path / "heads")).stdout


def test_verify_names_the_first_broken_line_of_each_chain_and_exits_1(agentcop_home: Path) -> None:
    heads = write_log(agentcop_home)
    lines = [line.replace(b"call-1", b"call-9").replace(b"call-3", b"call-9") for line in lines_of(agentcop_home)]
    put_lines(agentcop_home, lines)
    done = run("verify")
    assert done.exit_code == 1
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("broken")] == [
        "gate.log:5",
        "gate.log:6",
    ]
    assert "intact" not in done.stdout
    found = run("verify", "-f", "json")
    assert found.exit_code == 1
    report = json.loads(found.stdout)
    assert not report["intact"]
    assert [(each["where"], each["writer"], each["n"]) for each in report["breaks"]] == [
        ("gate.log:5", heads[0].writer, 2),
        ("gate.log:6", heads[1].writer, 2),
    ]


@pytest.mark.parametrize("arguments", [("log",), ("verify",), ("verify", "--heads", "/etc/hostname")])
def test_nothing_to_read_is_exit_2(agentcop_home: Path, arguments: tuple[str, ...]) -> None:
    if "--heads" in arguments:
        write_log(agentcop_home)
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("agentcop: ")


def test_colour_appears_on_a_terminal_only_and_never_in_json(agentcop_home: Path) -> None:
    GateLog(agentcop_home).append(decision(1, "block"))
    assert b"\x1b[" in on_terminal("gate", "log")
    assert b"\x1b[" not in on_terminal("gate", "log", "-f", "json")
    assert b"\x1b[" not in on_terminal("gate", "log", NO_COLOR="1")
    assert "\x1b[" not in run("log").stdout


def on_terminal(*arguments: str, **environ: str) -> bytes:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "agentcop", *arguments]
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | environ
    subprocess.run(command, stdout=theirs, check=True, env=environ)
    os.close(theirs)
    try:
        return os.read(ours, 100_000)
    finally:
        os.close(ours)


def test_following_shows_a_line_as_it_is_written(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.append(decision(1, tool="first"))
    process = subprocess.Popen([sys.executable, "-m", "agentcop", "gate", "log", "--follow"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as shown:
        assert b"first" in shown.readline()
        head = str(log.append(decision(2, tool="second")))
        assert b"second" in shown.readline()
        log.append({"kind": "outcome", "call": "call-2", "tool": "second", "outcome": "sandbox_refused", "of": head})
        assert shown.readline().split()[2:4] == [b"refused", b"second"]
        process.send_signal(2)
        assert process.wait(30) == 0
