from __future__ import annotations

import fcntl
import logging
import os
from typing import TYPE_CHECKING

from agentcop_processor.gatelog import GateLog
from agentcop_processor.gatelog.verify import verify
from chained import decision

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KIB = 1024


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def names(home: Path) -> set[str]:
    return {entry.name for entry in home.iterdir()} - {"gate.log.lock"}


def test_a_full_file_gets_the_next_name_and_the_chain_runs_on(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, max_bytes=4 * KIB, files=4)
    for call in range(40):
        log.append(decision(call))
    report = verify(agentcop_home, files=4)
    assert names(agentcop_home) == {"gate.log", "gate.log.1", "gate.log.2"}
    assert (report.breaks, report.lines, len(report.chains)) == ((), 41, 1)
    assert max((agentcop_home / name).stat().st_size for name in names(agentcop_home)) < 5 * KIB


def test_only_so_many_files_are_kept_and_the_oldest_goes(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, max_bytes=KIB, files=3)
    for call in range(100):
        log.append(decision(call))
    report = verify(agentcop_home, files=3)
    assert names(agentcop_home) == {"gate.log", "gate.log.1", "gate.log.2"}
    assert report.breaks == ()
    assert report.chains[0].last == 100
    assert any("before the kept files" in note for note in report.notes)


def test_a_writer_follows_another_s_rotation_within_a_second(agentcop_home: Path) -> None:
    clock = Clock()
    idle = GateLog(agentcop_home, monotonic=clock, writer_id=lambda: "idle")
    idle.append(decision(1))
    (agentcop_home / "gate.log").rename(agentcop_home / "gate.log.1")
    clock.now = 0.9
    idle.append(decision(2))
    assert names(agentcop_home) == {"gate.log.1"}
    clock.now = 1.1
    idle.append(decision(3))
    assert (agentcop_home / "gate.log").read_bytes().count(b"\n") == 1
    assert verify(agentcop_home).breaks == ()


def test_a_rotation_held_by_another_process_never_makes_a_call_wait(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, max_bytes=KIB)
    log.open()
    with (agentcop_home / "gate.log.lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for call in range(20):
            log.append(decision(call))
        assert names(agentcop_home) == {"gate.log"}
    log.append(decision(20))
    log.append(decision(21))
    assert names(agentcop_home) == {"gate.log", "gate.log.1"}
    assert verify(agentcop_home).breaks == ()


def test_two_writers_that_find_it_full_rotate_once(agentcop_home: Path) -> None:
    logs = [GateLog(agentcop_home, max_bytes=8 * KIB) for _ in range(2)]
    for call in range(60):
        for log in logs:
            log.append(decision(call))
    report = verify(agentcop_home)
    assert (report.breaks, report.lines) == ((), 2 * 61)
    assert min((agentcop_home / name).stat().st_size for name in names(agentcop_home) - {"gate.log"}) >= 8 * KIB


def test_a_rotation_killed_half_way_is_closed_by_the_next(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, max_bytes=KIB, files=10)
    for call in range(20):
        log.append(decision(call))
    before = verify(agentcop_home)
    highest = max(int(name.rpartition(".")[2]) for name in names(agentcop_home) - {"gate.log"})
    for index in range(highest, 1, -1):  # as far as a rotator got that died before it reached gate.log.1
        (agentcop_home / f"gate.log.{index}").rename(agentcop_home / f"gate.log.{index + 1}")
    assert [found.where for found in verify(agentcop_home).breaks] == ["gate.log.2"]
    (agentcop_home / "gate.log.lock").write_bytes(b"\0")
    assert any("rotation" in note for note in verify(agentcop_home).notes)
    assert verify(agentcop_home).intact
    for call in range(8):
        log.append(decision(call))
    assert (agentcop_home / "gate.log.lock").stat().st_size == 0
    after = verify(agentcop_home)
    assert before.breaks == after.breaks == ()


def test_a_rotation_that_fails_is_a_warning_and_the_line_is_written(
    agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = GateLog(agentcop_home, max_bytes=KIB)
    log.open()
    (agentcop_home / "gate.log.1").mkdir()
    (agentcop_home / "gate.log.lock").symlink_to(agentcop_home / "nowhere")
    for call in range(10):
        log.append(decision(call))
    assert (agentcop_home / "gate.log").read_bytes().count(b"\n") == 11
    assert caplog.text.count("could not be rotated") == 1


def test_a_filling_disk_is_warned_of_once_until_there_is_room_again(
    agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, free = Clock(), [10 * KIB]
    log = GateLog(agentcop_home, monotonic=clock, max_bytes=8 * KIB, free=lambda _: free[0])
    with caplog.at_level(logging.WARNING, logger="agentcop"):
        for second, left in enumerate([10, 10, 20, 20, 9, 9]):
            clock.now, free[0] = second * 2.0, left * KIB
            log.append(decision(second))
    assert [record.getMessage().count("When it is full") for record in caplog.records] == [1, 1]


def test_a_log_that_was_deleted_is_made_anew_and_the_loss_is_found(agentcop_home: Path) -> None:
    clock = Clock()
    log = GateLog(agentcop_home, monotonic=clock)
    log.append(decision(1))
    os.unlink(agentcop_home / "gate.log")  # noqa: PTH108 -- as somebody would
    clock.now = 2.0
    log.append(decision(2))
    log.append(decision(3))
    (found,) = verify(agentcop_home).breaks
    assert (found.where, found.seq) == ("gate.log:1", 2)
    assert "0 to 1 are missing" in found.why
