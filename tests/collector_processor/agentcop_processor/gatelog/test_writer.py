from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.gatelog import GateLog, Head
from agentcop_processor.gatelog.chain import parse_head
from agentcop_processor.gatelog.verify import verify
from chained import decision, lines_of, put_lines

if TYPE_CHECKING:
    from pathlib import Path


def records(home: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in lines_of(home) if line]


def chains(home: Path) -> int:
    report = verify(home)
    assert report.breaks == ()
    return len(report.chains)


def test_nothing_is_touched_before_the_first_line(agentcop_home: Path) -> None:
    assert GateLog(agentcop_home).head is None
    assert not agentcop_home.exists()


def test_folder_and_file_are_their_owner_s_alone(agentcop_home: Path) -> None:
    GateLog(agentcop_home).open()
    assert stat.S_IMODE(agentcop_home.stat().st_mode) == 0o700
    assert stat.S_IMODE((agentcop_home / "gate.log").stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_closed_to_them(agentcop_home: Path) -> None:
    agentcop_home.mkdir()
    (agentcop_home / "gate.log").touch(0o644)
    GateLog(agentcop_home).open()
    assert stat.S_IMODE((agentcop_home / "gate.log").stat().st_mode) == 0o600


def test_each_line_carries_the_hash_of_the_bytes_of_the_line_before(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, writer_id=lambda: "w1")
    heads = [log.open(), log.append(decision(1)), log.append(decision(2))]
    lines = lines_of(agentcop_home)
    assert [hashlib.sha256(line).hexdigest() for line in lines] == [head.hash for head in heads]
    assert [record.get("prev", "") for record in records(agentcop_home)] == ["", heads[0].hash, heads[1].hash]
    assert [str(head) for head in heads] == [f"w1:{n}:{head.hash}" for n, head in enumerate(heads)]
    assert parse_head(str(heads[2])) == heads[2] == log.head


@pytest.mark.parametrize("moment", ["clock", "before the write", "after the write"])
def test_a_line_written_by_a_finaliser_in_the_middle_of_another_neither_hangs_nor_breaks_a_chain(
    agentcop_home: Path, moment: str
) -> None:
    due: list[int] = []

    def interrupt(at: str) -> None:
        if at == moment and due:
            log.append(decision(due.pop()))

    def now() -> float:
        interrupt("clock")
        return 1_700_000_000.0

    def write(fd: int, data: bytes) -> int:
        interrupt("before the write")
        written = os.write(fd, data)
        interrupt("after the write")
        return written

    log = GateLog(agentcop_home, now=now, write=write)
    log.append(decision(1))
    due.append(2)
    writing = threading.Thread(target=log.append, args=(decision(3),), daemon=True)
    writing.start()
    writing.join(60)
    assert not writing.is_alive()
    log.append(decision(4))
    log.append(decision(5))
    calls = [record["call"] for record in records(agentcop_home) if record["kind"] == "decision"]
    assert sorted(map(str, calls)) == [f"call-{n}" for n in range(1, 6)]
    assert chains(agentcop_home) == 2


def test_fields_stand_in_the_order_given_and_empty_ones_are_left_out(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home, now=lambda: 1_700_000_000.25, writer_id=lambda: "w1")
    fields = {
        "kind": "decision",
        "session": "",
        "tool": "t",
        "args": None,
        "approval": None,
        "n": 9,
        "decided_by": "seam",
        "extra": 1,
    }
    log.append(fields, raw_args=b'{"a":1}')
    line = lines_of(agentcop_home)[1]
    assert line.startswith(
        b'{"t":"2023-11-14T22:13:20.250000Z","kind":"decision","tool":"t","args":{"a":1},"decided_by":"seam","extra":1,'
        b'"w":"w1","n":1,"prev":"'
    )


def test_the_start_line_says_which_process_and_version_but_not_which_host(agentcop_home: Path) -> None:
    GateLog(agentcop_home).open()
    (record,) = records(agentcop_home)
    assert set(record) == {"t", "kind", "pid", "version", "w", "n"}
    assert record["pid"] == os.getpid()


@given(
    name=st.text(st.characters(categories=None), max_size=20),
    value=st.one_of(st.text(st.characters(categories=None)), st.integers(), st.floats(allow_nan=False), st.binary()),
)
def test_no_value_breaks_a_line(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    home = tmp_path_factory.mktemp("log")
    log = GateLog(home)
    log.append(decision(1, tool=name, reason=value, nested=[value, {"x": value}]))
    log.append(decision(2))
    assert [record["kind"] for record in records(home)] == ["start", "decision", "decision"]
    assert chains(home) == 1


def test_arguments_with_a_raw_newline_cannot_forge_a_line(agentcop_home: Path) -> None:
    GateLog(agentcop_home).append(decision(1), raw_args=b'{"a":\n1}')
    assert records(agentcop_home)[1]["args"] == '{"a":\n1}'


def test_arguments_too_long_for_a_line_are_counted_instead(agentcop_home: Path) -> None:
    raw = b'"' + b"x" * 3_000_000 + b'"'
    GateLog(agentcop_home).append(decision(1), raw_args=raw)
    assert records(agentcop_home)[1]["args"] == {"$omitted_bytes": len(raw)}


def test_what_cannot_be_said_is_an_oserror_and_leaves_the_chain_alone(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    circle: list[object] = []
    circle.append(circle)
    for fields in ({"tool": "no kind"}, decision(1, reason=circle), decision(1, reason="x" * 3_000_000)):
        with pytest.raises(OSError, match=r"gate\.log"):
            log.append(fields)
    log.append(decision(2))
    assert chains(agentcop_home) == 1


def test_threads_share_one_chain(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    threads = [threading.Thread(target=lambda: [log.append(decision(i)) for i in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chains(agentcop_home) == 1
    assert len(lines_of(agentcop_home)) == 1 + 8 * 200


def test_close_and_append_again_goes_on_with_the_chain(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.append(decision(1))
    log.close()
    log.append(decision(2))
    assert [record["n"] for record in records(agentcop_home)] == [0, 1, 2]


class Disk:
    """A `write` that fails when told to, as a file system does."""

    def __init__(self) -> None:
        self.short: int | None = None
        self.error: int | None = None

    def __call__(self, fd: int, data: bytes) -> int:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        return os.write(fd, data if self.short is None else data[: self.short])


@pytest.mark.parametrize("short", [0, 1, 7, 60, -1])
def test_after_a_short_write_a_new_writer_begins_that_says_why(agentcop_home: Path, short: int) -> None:
    disk = Disk()
    log = GateLog(agentcop_home, write=disk)
    good = log.append(decision(1))
    disk.short = short
    for _ in range(2):
        with pytest.raises(OSError, match="bytes"):
            log.append(decision(2))
    assert log.head == good
    disk.short = None
    log.append(decision(3))
    assert chains(agentcop_home) >= 2  # a start line that lacks only its newline is a chain too
    start = orjson.loads(lines_of(agentcop_home)[-2])
    assert (start["kind"], start["from"], start["why"]) == ("start", str(good), "short write")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBADF])
def test_an_error_of_the_disk_reaches_the_caller_and_the_log_recovers(agentcop_home: Path, code: int) -> None:
    disk = Disk()
    log = GateLog(agentcop_home, write=disk)
    log.append(decision(1))
    disk.error = code
    with pytest.raises(OSError, match=r".") as caught:
        log.append(decision(2), sync=True)
    assert caught.value.errno == code
    disk.error = None
    log.append(decision(3), sync=True)
    assert chains(agentcop_home) == 2
    assert records(agentcop_home)[-2]["why"] == errno.errorcode[code]


def test_an_interrupted_write_never_uses_a_number_twice(agentcop_home: Path) -> None:
    interrupts = [False, False, True]

    def write(fd: int, data: bytes) -> int:
        written = os.write(fd, data)
        if interrupts and interrupts.pop(0):
            raise KeyboardInterrupt
        return written

    log = GateLog(agentcop_home, write=write)
    log.append(decision(1))
    with pytest.raises(KeyboardInterrupt):
        log.append(decision(2))
    log.append(decision(3))
    assert chains(agentcop_home) == 2
    assert records(agentcop_home)[-2]["why"] == "interrupted"


def test_a_real_file_size_limit_blocks_and_lifting_it_heals(agentcop_home: Path) -> None:
    program = f"""
import pathlib, resource, signal
from agentcop_processor.gatelog import GateLog
log = GateLog(pathlib.Path({str(agentcop_home)!r}))
for n in range(3): log.append({{"kind": "decision", "n_": n}})
size = (pathlib.Path({str(agentcop_home)!r}) / "gate.log").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, resource.RLIM_INFINITY))
failures = 0
for n in range(4):
    try: log.append({{"kind": "decision", "n_": n}})
    except OSError: failures += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append({{"kind": "decision", "n_": 9}})
print(failures)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4"
    assert chains(agentcop_home) == 2
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_what_is_no_regular_file_is_not_written_to(agentcop_home: Path, tmp_path: Path, kind: str) -> None:
    agentcop_home.mkdir()
    path = agentcop_home / "gate.log"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(OSError, match=r"gate\.log|No such device"):
        GateLog(agentcop_home).open()
    assert not (tmp_path / "elsewhere").exists()


def test_a_forked_child_begins_a_chain_that_names_the_head_it_descends_from(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    parent = log.append(decision(1))
    pid = os.fork()
    if pid == 0:
        try:
            log.append(decision(2))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    log.append(decision(3))
    assert chains(agentcop_home) == 2
    start = next(record for record in records(agentcop_home)[1:] if record["kind"] == "start")
    assert (start["pid"], start["from"], start["why"]) == (pid, str(parent), "fork")


def test_a_fork_while_threads_write_neither_hangs_nor_breaks_a_chain(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.open()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            log.append(decision(0))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            signal.alarm(30)  # a deadlock would end the child, and the test see its status
            try:
                log.append(decision(1))
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    statuses = [os.waitpid(pid, 0)[1] for pid in children]
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 10
    assert chains(agentcop_home) == 11


def test_a_daemon_that_closes_every_descriptor_goes_on_logging_and_writes_into_nothing_else(
    agentcop_home: Path,
) -> None:
    program = f"""
import os, pathlib
from agentcop_processor.gatelog import GateLog
home = pathlib.Path({str(agentcop_home)!r})
log = GateLog(home); log.append({{"kind": "decision"}})
if os.fork(): os.wait(); raise SystemExit
os.closerange(3, 100)
others = [os.open(home / f"other{{i}}", os.O_RDWR | os.O_CREAT) for i in range(8)]
log.append({{"kind": "decision"}})
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert chains(agentcop_home) == 2
    assert {(agentcop_home / f"other{i}").stat().st_size for i in range(8)} == {0}


@pytest.mark.parametrize("max_bytes", [2**40, 300_000])
def test_four_processes_on_one_log_keep_every_chain_even_when_three_are_killed(
    agentcop_home: Path, max_bytes: int
) -> None:
    program = f"""
import pathlib, sys
from agentcop_processor.gatelog import GateLog
log = GateLog(pathlib.Path({str(agentcop_home)!r}), max_bytes={max_bytes})
log.open(); print("on", flush=True)
for n in range(1000 if sys.argv[1] == "end" else 10**9):
    log.append({{"kind": "decision", "text": "x" * (n % 900)}})
"""
    killed = [_python(program, "never") for _ in range(3)]
    ends = _python(program, "end")
    assert ends.wait(60) == 0
    for process in killed:
        process.kill()
        process.wait()
    report = verify(agentcop_home)
    assert report.breaks == ()
    if max_bytes == 2**40:
        assert (len(report.chains), len(report.files)) == (4, 1)
        assert [walk.lines for walk in report.chains if walk.lines == 1001]


def _python(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as talk:
        assert talk.readline() == b"on\n"
    return process


def test_head_parsing_takes_exactly_a_head() -> None:
    head = Head("w-1", 7, "a" * 64)
    assert parse_head(str(head)) == head
    for wrong in ("", "w:1", f"{head} ", f"w:-1:{'a' * 64}", f"w:1:{'A' * 64}", f"w:1:{'a' * 63}"):
        assert parse_head(wrong) is None


def test_a_machine_that_lost_power_leaves_zeros_that_break_nothing(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    log.append(decision(1))
    lines = lines_of(agentcop_home)
    put_lines(agentcop_home, [*lines, b"\0" * 100])
    with (agentcop_home / "gate.log").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 1)
    GateLog(agentcop_home).append(decision(2))
    assert chains(agentcop_home) == 2
