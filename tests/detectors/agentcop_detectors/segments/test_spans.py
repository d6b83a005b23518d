"""The span store: a trace is found whole, sealed or not; what is sealed survives a kill, and goes when it is old."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from agent_spans import START, a_frame, a_step, ident, write
from agentcop_detectors.receive.tokens import Tokens
from agentcop_detectors.segments import sealed, spans
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.segments.names import sealed_paths, segment_paths
from agentcop_detectors.segments.position import Published, Reader
from agentcop_detectors.segments.sealed import Damaged, opened
from agentcop_detectors.segments.spans import SpanStore
from agentcop_detectors.segments.tail import BEGINNING, Position, Tail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.step import Step

EVERYTHING = Position(10**9, 0)
TRACES = 30


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SegmentLog]:
    log = SegmentLog(tmp_path, segment_bytes=20_000)
    log.open()
    yield log
    log.close()


def filled(log: SegmentLog) -> dict[bytes, list[Step]]:
    """Spans of thirty traces over several segments, in both encodings; what each trace holds."""
    dice = random.Random(1)  # noqa: S311 -- the same spans every time
    steps = [
        a_step(number, trace_id=ident(1 + number % TRACES, 16), scope=f"s{number % 3}") for number in range(1, 600)
    ]
    held: dict[bytes, list[Step]] = {}
    for step in steps:
        held.setdefault(step.trace_id, []).append(step)
    dice.shuffle(steps)
    for at in range(0, len(steps), 7):
        write(log, [a_frame(steps[at : at + 7], START + at, json=at % 2 == 0)])
    return held


def seal_all(store: SpanStore) -> int:
    count = 0
    while store.seal(EVERYTHING) is not None:
        count += 1
    return count


def test_a_trace_is_found_whole_before_and_after_sealing(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    store = SpanStore(tmp_path)

    before = {trace: store.trace(trace) for trace in held}
    segments = len(segment_paths(tmp_path))
    assert seal_all(store) == segments - 1
    assert before == held
    assert {trace: store.trace(trace) for trace in held} == held
    assert {trace: SpanStore(tmp_path).trace(trace) for trace in held} == held
    assert store.trace(ident(999, 16)) == []
    assert sum(path.stat().st_size for _, path in sealed_paths(tmp_path)) < 20_000 * (segments - 1) / 3


def test_what_comes_later_is_found_by_the_same_store(tmp_path: Path, log: SegmentLog) -> None:
    store = SpanStore(tmp_path)
    step = a_step(1)
    assert store.trace(step.trace_id) == []
    for number in range(1, 4):
        write(log, [a_frame([a_step(number)])])
        assert len(store.trace(step.trace_id)) == number


def test_only_what_nobody_reads_or_writes_any_more_is_sealed(tmp_path: Path, log: SegmentLog) -> None:
    filled(log)
    store = SpanStore(tmp_path)

    assert store.seal(Position(1, 10**9)) is None
    while store.seal(Position(3, 5)) is not None:
        pass
    assert [number for number, _ in sealed_paths(tmp_path)] == [1, 2]
    seal_all(store)
    assert [number for number, _ in segment_paths(tmp_path)] == [len(sealed_paths(tmp_path)) + 1]


def test_numbers_are_not_given_twice_though_all_segments_are_sealed(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    seal_all(SpanStore(tmp_path))
    log.close()
    last, path = segment_paths(tmp_path)[-1]
    path.rename(tmp_path / "elsewhere")
    again = SegmentLog(tmp_path)
    again.open()
    write(again, [a_frame(held[ident(1, 16)])])
    again.close()

    assert [number for number, _ in segment_paths(tmp_path)] == [last]


def test_a_kill_between_sealing_and_removing_leaves_each_span_once(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    first = segment_paths(tmp_path)[0][1]
    copy = first.read_bytes()
    store = SpanStore(tmp_path)
    store.seal(EVERYTHING)
    first.write_bytes(copy)
    (tmp_path / "0000000002.sealed.new").write_bytes(b"half of it")

    assert {trace: store.trace(trace) for trace in held} == held
    seal_all(store)
    assert {trace: store.trace(trace) for trace in held} == held
    assert not first.exists()


def test_a_trace_is_found_whole_while_its_segments_are_being_sealed(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    sealer = threading.Thread(target=seal_all, args=(SpanStore(tmp_path),))
    store = SpanStore(tmp_path)
    sealer.start()
    found: list[bool] = []
    while sealer.is_alive() or not found:
        found.append(store.trace(ident(1, 16)) == held[ident(1, 16)])
    sealer.join()
    assert all(found)


@pytest.mark.parametrize("listed", ["segment_paths", "sealed_paths"])
def test_a_segment_that_is_sealed_between_two_looks_is_not_missed(
    tmp_path: Path, log: SegmentLog, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    held = filled(log)
    look = getattr(spans, listed)

    def looks(folder: Path) -> list[tuple[int, Path]]:
        found: list[tuple[int, Path]] = look(folder)
        monkeypatch.undo()
        seal_all(SpanStore(tmp_path))
        return found

    store = SpanStore(tmp_path)
    monkeypatch.setattr(spans, listed, looks)
    assert store.trace(ident(1, 16)) == held[ident(1, 16)]


SEALER = """
import sys
from pathlib import Path
from agentcop_detectors.segments.spans import SpanStore
from agentcop_detectors.segments.tail import Position
store = SpanStore(Path(sys.argv[1]))
print("ready", flush=True)
while store.seal(Position(10**9, 0)) is not None:
    print("sealed", flush=True)
"""


def test_sealing_can_be_killed_at_any_moment(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    for lines in (1, 2, 3):
        with subprocess.Popen([sys.executable, "-c", SEALER, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
        assert {trace: SpanStore(tmp_path).trace(trace) for trace in held} == held
    seal_all(SpanStore(tmp_path))
    assert {trace: SpanStore(tmp_path).trace(trace) for trace in held} == held


def test_what_is_damaged_is_counted_and_the_rest_is_found(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    store = SpanStore(tmp_path)
    seal_all(store)
    path = sealed_paths(tmp_path)[0][1]
    data = bytearray(path.read_bytes())
    for at in range(100, len(data), 997):
        data[at] ^= 0xFF
    path.write_bytes(data)

    found = store.trace(ident(1, 16))
    assert store.damaged == 1
    assert 0 < len(found) < len(held[ident(1, 16)])


@pytest.mark.parametrize("data", [b"", b"short", b"AFSEAL\x00\x01" + b"x" * 200])
def test_what_is_no_sealed_segment_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "1.sealed"
    path.write_bytes(data)
    with pytest.raises(Damaged), opened(path):
        pass


def test_a_trace_over_many_blocks_is_found(tmp_path: Path, log: SegmentLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_BLOCK_BYTES", 2_000)
    held = filled(log)
    store = SpanStore(tmp_path)
    footers = []
    while (footer := store.seal(EVERYTHING)) is not None:
        footers.append(footer)

    assert all(footer.blocks > 3 for footer in footers)
    assert {trace: store.trace(trace) for trace in held} == held


def test_old_segments_are_deleted_and_younger_ones_stay(tmp_path: Path, log: SegmentLog) -> None:
    for number in range(1, 400):
        write(log, [a_frame([a_step(number)], (1_000 + number) * 10**9)])
    store = SpanStore(tmp_path)
    seal_all(store)
    count = len(sealed_paths(tmp_path))
    with opened(sealed_paths(tmp_path)[1][1]) as second:
        newest = second.footer.newest / 1e9

    assert store.delete_before(newest) == 1
    assert store.delete_before(newest + 0.5) == 1
    assert len(sealed_paths(tmp_path)) == count - 2
    assert [step.span_id for step in store.trace(ident(1, 16))] == [
        ident(number) for number in range(int(newest) - 1_000 + 1, 400)
    ]


def test_traces_are_taken_out_of_sealed_segments_and_others_stay(tmp_path: Path, log: SegmentLog) -> None:
    held = filled(log)
    store = SpanStore(tmp_path)
    gone = {ident(1, 16), ident(2, 16)}
    last = segment_paths(tmp_path)[-1][0]
    seal_all(store)

    store.forget(gone, last)
    assert store.trace(ident(1, 16))  # in the last segment, which is still written to
    write(log, [a_frame([a_step(number, trace_id=ident(50, 16))]) for number in range(200)])
    seal_all(store)
    store.forget(gone, last)

    assert [store.trace(trace) for trace in sorted(gone)] == [[], []]
    assert {trace: store.trace(trace) for trace in held if trace not in gone} == {
        trace: steps for trace, steps in held.items() if trace not in gone
    }
    data = b"".join(frame.body for _, path in sealed_paths(tmp_path) for frame in _frames(path))
    assert not any(trace in data or trace.hex().encode() in data for trace in gone)


def _frames(path: Path) -> list[Frame]:
    with opened(path) as found:
        return list(found.all_frames())


def test_spans_of_a_sender_that_may_not_speak_for_the_agent_are_passed_over(tmp_path: Path, log: SegmentLog) -> None:
    tokens = Tokens(agents={"a" * 64: ("billing",)})
    write(log, [a_frame([a_step(1)], source="a" * 16), a_frame([a_step(2, agent_id="other")], source="a" * 16)])
    assert [step.span_id for step in SpanStore(tmp_path, tokens=tokens).trace(ident(1, 16))] == [ident(1)]


def test_an_idle_segment_is_followed_by_a_new_one_so_that_it_can_be_sealed(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path, segment_seconds=0.05)
    log.open()
    write(log, [a_frame([a_step(1)])])
    tail = Tail(tmp_path)
    for _ in range(2_000):
        assert list(tail.frames()) is not None
        if tail.position > Position(2, 0) or tail.position == Position(2, 0):
            break
        os.sched_yield()
        log.append(a_frame([a_step(2)]), lambda _: None)
    log.close()
    tail.close()

    assert len(segment_paths(tmp_path)) >= 2


def test_how_far_was_read_is_published_and_how_much_lies_behind_it(tmp_path: Path, log: SegmentLog) -> None:
    filled(log)
    reader, published = Reader(tmp_path), Published(tmp_path)
    assert reader.get() == BEGINNING
    assert log.behind(reader.get()) == log.written

    tail = Tail(tmp_path)
    for _ in range(6):
        list(tail.frames(13))
        published.put(tail.position)
        assert reader.get() == tail.position
        unread = sum(path.stat().st_size for number, path in segment_paths(tmp_path) if number >= tail.position.segment)
        assert log.behind(reader.get()) == unread - tail.position.offset
    list(tail.frames(10_000))
    assert log.behind(tail.position) == 0
    (tmp_path / "read.position").write_bytes(b"torn")
    assert reader.get() == published._last  # noqa: SLF001 -- what was put
    published.close()
    tail.close()


@pytest.mark.parametrize("limit", [1, 3, 10_000])
def test_a_reader_whose_position_is_older_than_the_sealing_reads_on_in_sealed_segments(
    tmp_path: Path, log: SegmentLog, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(sealed, "_BLOCK_BYTES", 3_000)
    filled(log)
    tail = Tail(tmp_path)
    expected = list(tail.frames(10_000))
    tail.close()
    seal_all(SpanStore(tmp_path))

    for start in (BEGINNING, expected[3][0], expected[20][0], expected[-1][0]):
        again = Tail(tmp_path, start)
        found = []
        while part := list(again.frames(limit)):
            found += part
        assert found == [each for each in expected if each[0] >= start]
        assert again.skipped == 0
        again.close()
