from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_processor.gatelog import GateLog, Head
from agentcop_processor.gatelog.read import Entries, Filter, has_log
from chained import decision, lines_of, put_lines, write_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def calls(home: Path, asked: Filter) -> list[tuple[object, object]]:
    return [(line.record["kind"], line.record.get("call")) for line in Entries(home, asked)]


def outcome(of: Head, call: int, what: str) -> dict[str, object]:
    return {"kind": "outcome", "call": f"call-{call}", "outcome": what, "of": str(of)}


def test_rotated_files_are_read_oldest_first(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, max_bytes=1024)
    for call in range(25):
        log.append(decision(call))
    assert [line.seq for line in Entries(agentcop_home, Filter())] == list(range(26))


@pytest.mark.parametrize("asked", [Filter(tool="bash"), Filter(session="bash"), Filter(agent="bash")])
def test_a_filter_takes_exact_names_only(agentcop_home: Path, asked: Filter) -> None:
    log = GateLog(agentcop_home)
    for call, name in enumerate(["bash", "bash_session", "Bash"]):
        log.append(decision(call, tool=name, session=name, agent=name))
    assert calls(agentcop_home, asked) == [("decision", "call-0")]


def test_since_leaves_out_what_is_older(agentcop_home: Path) -> None:
    now = [1000.0]
    log = GateLog(agentcop_home, now=lambda: now[0])
    log.append(decision(1))
    now[0] = 2000.5
    log.append(decision(2))
    assert calls(agentcop_home, Filter(since=2000.5)) == [("decision", "call-2")]
    assert calls(agentcop_home, Filter(since=2000.6)) == []


def test_blocked_shows_blocks_and_held_calls_that_were_refused_with_their_decision(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.append(outcome(log.append(decision(1)), 1, "ok"))
    log.append(decision(2, "block"))
    held = log.append(decision(3, "require_approval"))
    approved = log.append(decision(4, "require_approval"))
    log.append(outcome(approved, 4, "ok"))
    log.append(outcome(held, 3, "no_approver"))
    observed = log.append(decision(5, "block", mode="observe"))
    log.append(outcome(observed, 5, "ok"))
    assert calls(agentcop_home, Filter(blocked=True)) == [
        ("decision", "call-2"),
        ("decision", "call-3"),
        ("outcome", "call-3"),
        ("decision", "call-5"),
        ("outcome", "call-5"),
    ]


def test_lines_that_cannot_be_read_are_counted_and_passed_over(agentcop_home: Path) -> None:
    write_log(agentcop_home, writers=1, decisions=1)
    deep = b"[" * 100_000
    put_lines(agentcop_home, [b"\xff\xfe", deep, b"x" * 5_000_000, b"", *lines_of(agentcop_home), b'{"t":"2026'])
    entries = Entries(agentcop_home, Filter())
    assert [line.seq for line in entries] == [0, 1]
    assert (entries.unreadable, entries.first_unreadable) == (4, "gate.log:1")


def test_a_hostile_line_full_of_beginnings_is_given_up_quickly(agentcop_home: Path) -> None:
    agentcop_home.mkdir()
    put_lines(agentcop_home, [b'{"t":"2026-01-01T00:00:00.000000Z","kind":"' * 30_000])
    entries = Entries(agentcop_home, Filter())
    assert list(entries) == []
    assert entries.unreadable == 1


def in_turn(*steps: Callable[[], object]) -> Callable[[], bool]:
    """What a follower waits for: each look does one step; then it stops."""
    left = list(steps)

    def more() -> bool:
        if not left:
            return False
        left.pop(0)()
        return True

    return more


def test_following_sees_new_lines_whole_and_goes_on_over_a_rotation(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, max_bytes=1024)
    log.append(decision(1))
    path = agentcop_home / "gate.log"
    late = lines_of(agentcop_home)[1].replace(b'"n":1', b'"n":777')

    def half(part: bytes) -> Callable[[], object]:
        return lambda: path.write_bytes(path.read_bytes() + part)

    def rotate() -> None:
        for call in range(6):
            log.append(decision(call))

    steps = [
        lambda: log.append(decision(2)),
        *(half(part) for part in (late[:50], late[50:] + b"\n")),
        rotate,
        *[lambda: None] * 10,
    ]
    seen = [line.seq for line in Entries(agentcop_home, Filter(), in_turn(*steps))]
    assert (agentcop_home / "gate.log.1").exists()
    assert [seq for seq in seen if seq != 777] == list(range(9))
    assert seen.index(777) == 3


def test_following_waits_for_a_log_that_is_not_there_yet(agentcop_home: Path) -> None:
    agentcop_home.mkdir()
    assert not has_log(agentcop_home)
    steps = [lambda: None, lambda: GateLog(agentcop_home).open(), lambda: None]
    assert [line.seq for line in Entries(agentcop_home, Filter(), in_turn(*steps))] == [0]


def test_a_folder_that_is_not_there_holds_no_log(agentcop_home: Path) -> None:
    assert not has_log(agentcop_home)
