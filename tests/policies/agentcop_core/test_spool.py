from __future__ import annotations

import itertools
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import orjson
import pytest

from agentcop_core.filelock import try_lock
from agentcop_core.spool import Dropped, SpoolReader, SpoolWriter, count_spans, read_dropped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"%s","startTimeUnixNano":"1"}]}]}]}'


def line(name: str, size: int = 0) -> bytes:
    return _LINE % name.ljust(size, ".").encode()


def read_all(reader: SpoolReader, *, live: bool = False) -> list[bytes]:
    return [line.data for line in reader.lines(live=live)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "spool"


@pytest.fixture
def reader(folder: Path) -> Iterator[SpoolReader]:
    reader = SpoolReader(folder)
    yield reader
    reader.release()


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))


def test_what_was_written_is_read_in_order_and_deleted_when_acknowledged(folder: Path, reader: SpoolReader) -> None:
    clock = itertools.count(1)
    writer = SpoolWriter(folder, segment_bytes=300, now_ns=lambda: next(clock))
    lines = [line(f"span {number}") for number in range(20)]
    for one in lines:
        assert writer.append(one)
    writer.seal()

    assert reader.acquire()
    assert read_all(reader) == lines
    assert len(reader.finished) > 1
    for segment in reader.finished:
        reader.ack(segment)
    assert files(folder, ".jsonl") == []
    assert read_all(reader) == []


def test_only_the_owner_can_read_it(folder: Path) -> None:
    writer = SpoolWriter(folder)
    writer.append(line("a"))
    writer.dropped.add("queue", 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    writer.seal()


def test_a_live_writers_lines_come_only_when_asked_for_and_each_once(folder: Path, reader: SpoolReader) -> None:
    writer = SpoolWriter(folder)
    writer.append(line("a"))
    assert not reader.waiting()
    assert read_all(reader) == []
    assert read_all(reader, live=True) == [line("a")]
    writer.append(line("b"))
    assert read_all(reader, live=True) == [line("b")]
    assert reader.finished == ()
    writer.seal()
    assert read_all(reader) == []
    assert len(reader.finished) == 1


def test_a_reader_goes_on_where_an_earlier_one_stopped(folder: Path, reader: SpoolReader) -> None:
    writer = SpoolWriter(folder)
    writer.append(line("a"))
    assert read_all(reader, live=True) == [line("a")]
    writer.append(line("b"))
    later = SpoolReader(folder, positions=reader.positions)
    assert read_all(later, live=True) == [line("b")]
    writer.seal()


def test_leaving_the_loop_early_gives_the_same_line_again(folder: Path, reader: SpoolReader) -> None:
    writer = SpoolWriter(folder)
    for name in ("a", "b", "c"):
        writer.append(line(name))
    writer.seal()
    for one in reader.lines():
        if one.data == line("b"):
            break
    assert read_all(reader) == [line("b"), line("c")]


def test_what_is_dealt_with_can_be_cut_off(folder: Path, reader: SpoolReader) -> None:
    writer = SpoolWriter(folder)
    for name in ("a", "b", "c"):
        writer.append(line(name))
    writer.seal()
    assert reader.acquire()
    for one in reader.lines():
        if one.data == line("b"):
            reader.keep_from(one.segment, one.offset)
            break
    assert read_all(SpoolReader(folder)) == [line("b"), line("c")]


def test_a_killed_writers_whole_lines_are_read_and_its_torn_one_is_counted(folder: Path, reader: SpoolReader) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from agentcop_core.spool import SpoolWriter;"
        "writer = SpoolWriter(Path(sys.argv[1]));"
        "writer.append(b'{\"a\":1}'); writer.append(b'{\"b\":2}'); os.write(writer._descriptor, b'{\"torn');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(folder)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(files(folder, ".open")) == 1

    assert reader.waiting()
    assert read_all(reader) == [b'{"a":1}', b'{"b":2}']
    assert reader.torn == 1
    for segment in reader.finished:
        reader.ack(segment)
    assert files(folder, ".open") + files(folder, ".jsonl") == []


def test_the_oldest_are_dropped_at_the_bound_and_counted(folder: Path, reader: SpoolReader) -> None:
    clock = itertools.count(1)
    writer = SpoolWriter(folder, max_bytes=40_000, segment_bytes=5_000, now_ns=lambda: next(clock) * 10**9)
    written = 200
    for number in range(written):
        assert writer.append(line(f"{number}:", 1_000))
    writer.seal()

    left = read_all(reader)
    assert sum(path.stat().st_size for path in files(folder, ".jsonl")) <= 40_000
    assert left == [line(f"{number}:", 1_000) for number in range(written - len(left), written)]
    dropped = read_dropped(folder)
    assert dropped.room == written - len(left) > 0
    assert dropped.spans == dropped.room
    assert 0 < dropped.since < dropped.last


def test_a_live_writers_segment_is_never_dropped(folder: Path, reader: SpoolReader) -> None:
    alive = SpoolWriter(folder)
    alive.append(line("precious", 3_000))
    greedy = SpoolWriter(folder, max_bytes=8_000, segment_bytes=2_000)
    for number in range(50):
        greedy.append(line(f"{number}", 500))
    assert read_all(reader, live=True)[0] == line("precious", 3_000)
    alive.seal()
    greedy.seal()


def test_where_nothing_may_be_dropped_the_line_is_refused(folder: Path) -> None:
    alive = SpoolWriter(folder)
    alive.append(line("a", 3_000))
    assert SpoolWriter(folder, max_bytes=2_000).append(line("b")) is False
    assert SpoolWriter(folder, max_bytes=2_000).append(line("c", 1_500)) is False
    alive.seal()


def test_spans_are_counted_and_text_cannot_forge_the_count() -> None:
    forged = orjson.dumps({"spans": [{"name": '"startTimeUnixNano":"1"', "startTimeUnixNano": "1"}]})
    assert count_spans(forged) == 1


def test_losses_of_several_processes_add_up(folder: Path) -> None:
    times = itertools.count(1)
    first = SpoolWriter(folder, now_ns=lambda: next(times) * 10**9)
    second = SpoolWriter(folder, now_ns=lambda: next(times) * 10**9)
    first.dropped.add("queue", 3)
    second.dropped.add("write", 4)
    assert read_dropped(folder) == Dropped(queue=3, write=4, since=1.0, last=4.0)


def test_a_loss_that_finds_the_record_busy_is_written_with_the_next(folder: Path) -> None:
    writer = SpoolWriter(folder)
    writer.dropped.add("queue", 1)
    busy = os.open(folder / "dropped.lock", os.O_RDWR)
    assert try_lock(busy)
    writer.dropped.add("queue", 2)
    assert read_dropped(folder).queue == 1
    os.close(busy)
    writer.dropped.add("queue", 4)
    assert read_dropped(folder).queue == 7


@pytest.mark.parametrize("record", [b"", b"[]", b"{}", b'{"room":"x"}', b"\xff"])
def test_a_damaged_record_of_losses_reads_as_none(folder: Path, record: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "dropped.json").write_bytes(record)
    assert read_dropped(folder) == Dropped()


def test_there_is_one_consumer_at_a_time(folder: Path, reader: SpoolReader) -> None:
    assert not reader.acquire(), "no spool yet"
    writer = SpoolWriter(folder)
    writer.append(line("a"))
    writer.seal()
    other = SpoolReader(folder)
    assert reader.acquire()
    assert reader.acquire()
    assert not other.acquire()
    reader.release()
    assert other.acquire()
    other.release()


def test_a_reader_takes_only_what_is_bound_for_its_endpoint(folder: Path) -> None:
    for bound in ("local", "abc"):
        writer = SpoolWriter(folder, bound_for=bound)
        writer.append(line(bound))
        writer.seal()
    assert read_all(SpoolReader(folder, bound_for="abc")) == [line("abc")]
    assert sorted(read_all(SpoolReader(folder))) == sorted([line("abc"), line("local")])


def test_a_wiped_folder_gets_a_new_segment(folder: Path, reader: SpoolReader) -> None:
    writer = SpoolWriter(folder)
    writer.append(line("a"))
    shutil.rmtree(folder)
    assert writer.append(line("b"))
    writer.seal()
    assert read_all(reader) == [line("b")]


def test_many_writers_at_once_lose_and_break_nothing(folder: Path, reader: SpoolReader) -> None:
    program = (
        "import sys; from pathlib import Path; from agentcop_core.spool import SpoolWriter;"
        "writer = SpoolWriter(Path(sys.argv[1]), segment_bytes=4000);"
        '[writer.append(b\'{"w":%s,"n":%d}\' % (sys.argv[2].encode(), n)) for n in range(2000)]; writer.seal()'
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(folder), str(number)]) for number in range(4)]
    seen: list[bytes] = []
    while any(writer.poll() is None for writer in writers):
        seen += read_all(reader, live=True)
    seen += read_all(reader, live=True)
    assert len(seen) == len(set(seen)) == 8000
    for number in range(4):
        mine = [one for one in seen if one.startswith(b'{"w":%d,' % number)]
        assert mine == [b'{"w":%d,"n":%d}' % (number, n) for n in range(2000)]


def test_a_forked_child_leaves_its_parents_segment_alone(folder: Path, reader: SpoolReader) -> None:
    writer = SpoolWriter(folder)
    writer.append(line("parent"))
    child = os.fork()
    if child == 0:
        writer.abandon()
        writer.append(line("child"))
        writer.seal()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert read_all(reader) == [line("child")], "the parent's is still open"
    writer.append(line("again"))
    writer.seal()
    assert sorted(read_all(reader)) == sorted([line("parent"), line("again")])


def test_two_that_need_room_count_no_span_twice(folder: Path) -> None:
    clock = itertools.count(1)
    for number in range(40):
        writer = SpoolWriter(folder, now_ns=lambda: next(clock))
        writer.append(line(f"{number}", 1_000))
        writer.seal()
    greedy = [SpoolWriter(folder, max_bytes=16_000, segment_bytes=4_000) for _ in range(4)]
    threads = [threading.Thread(target=one.append, args=(line("new"),)) for one in greedy]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in greedy:
        one.seal()
        one.dropped.add("room", 0)
    left = sum(count_spans(path.read_bytes()) for path in files(folder, ".jsonl"))
    assert left + read_dropped(folder).room == 44


def test_a_full_disk_raises_and_leaves_whole_lines(folder: Path, reader: SpoolReader) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from agentcop_core.spool import SpoolWriter;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); writer = SpoolWriter(Path(sys.argv[1]));"
        "writer.append(b'a' * 600)\n"
        "for _ in range(2):\n"
        "  try: writer.append(b'b' * 600)\n"
        "  except OSError as error: print(error)\n"
        "writer.append(b'c' * 300); writer.seal()"
    )
    shown = subprocess.run([sys.executable, "-c", program, str(folder)], check=True, capture_output=True, text=True)
    assert shown.stdout.count("is the disk full?") == 2
    assert read_all(reader) == [b"a" * 600, b"c" * 300]


def test_a_link_in_the_place_of_a_segment_is_not_followed(folder: Path, reader: SpoolReader, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    (folder / "1-1-a-local.jsonl").symlink_to(secret)
    (folder / "1-1-b-local.jsonl").mkdir()
    assert read_all(reader) == []
