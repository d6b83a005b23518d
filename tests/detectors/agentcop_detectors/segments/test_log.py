"""The segment log: what was acknowledged is there after a kill, whole and once; what is torn is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_detectors.segments.frame import HEADER_BYTES, Encoding, Frame, Torn, decode, encode
from agentcop_detectors.segments.log import NotWritten, SegmentLog
from agentcop_detectors.segments.names import segment_paths, sound_length
from agentcop_detectors.segments.tail import BEGINNING, Tail

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_detectors.segments.tail import Position


def frame(body: bytes, source: str = "") -> Frame:
    return Frame(Encoding.PROTOBUF, 1_700_000_000_000_000_000, source, body)


def written(log: SegmentLog, *bodies: bytes) -> list[NotWritten | None]:
    """Append all, and wait for their acknowledgements, in order."""
    outcomes: dict[int, NotWritten | None] = {}
    done = threading.Semaphore(0)

    def acknowledged(number: int, outcome: NotWritten | None) -> None:
        outcomes[number] = outcome
        done.release()

    for number, body in enumerate(bodies):
        log.append(frame(body), lambda outcome, number=number: acknowledged(number, outcome))  # type: ignore[misc]
    for _ in bodies:
        assert done.acquire(timeout=30)
    return [outcomes[number] for number in range(len(bodies))]


def read(folder: Path, start: Position = BEGINNING) -> list[bytes]:
    tail = Tail(folder, start)
    found = [frame.body for _, frame in tail.frames(1_000_000)]
    tail.close()
    return found


@given(st.binary(max_size=200), st.text(max_size=40), st.sampled_from(Encoding), st.integers(0, 2**63))
def test_a_frame_is_read_as_it_was_written(body: bytes, source: str, encoding: Encoding, received: int) -> None:
    given_frame = Frame(encoding, received, source, body)
    if len(source.encode("utf-8", "backslashreplace")) > 256:
        return
    head, tail = encode(given_frame)

    found, length = decode(memoryview(head + tail + b"next"))

    assert length == len(head) + len(tail)
    assert found.body == body
    assert found[:2] == (encoding, received)
    assert found.source == source.encode("utf-8", "backslashreplace").decode()


@given(st.binary(min_size=1, max_size=100), st.data())
def test_no_cut_and_no_flipped_bit_gives_a_frame(body: bytes, data: st.DataObject) -> None:
    head, tail = encode(frame(body, "billing"))
    whole = head + tail
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Torn):
        decode(memoryview(whole[:cut]))
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    flipped = bytearray(whole)
    flipped[at] ^= 1 << bit

    with pytest.raises(Torn):
        decode(memoryview(flipped))


def test_what_is_acknowledged_is_read_in_order_over_many_segments(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path, segment_bytes=2_000)
    log.open()
    bodies = [b"%d " % number + b"x" * 100 for number in range(200)]

    outcomes = [written(log, body)[0] for body in bodies]
    log.close()

    assert outcomes == [None] * 200
    assert len(segment_paths(tmp_path)) > 5
    assert read(tmp_path) == bodies
    assert log.written == sum(path.stat().st_size for _, path in segment_paths(tmp_path))


def test_a_reader_goes_on_from_a_position_and_sees_what_comes_later(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path, segment_bytes=500)
    log.open()
    written(log, *(b"%d" % number for number in range(50)))
    tail = Tail(tmp_path)
    positions = [position for position, _ in tail.frames()]
    written(log, b"later")

    assert [frame.body for _, frame in tail.frames()] == [b"later"]
    assert read(tmp_path, positions[20]) == [b"%d" % number for number in range(20, 50)] + [b"later"]
    log.close()
    tail.close()


def test_a_reader_beside_a_writer_misses_nothing_at_the_ends_of_segments(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path, segment_bytes=300)
    log.open()
    ended = threading.Event()
    found: list[bytes] = []

    def follow() -> None:
        tail = Tail(tmp_path)
        while True:
            last = ended.is_set()
            found.extend(frame.body for _, frame in tail.frames(7))
            if last and len(found) >= 2_000:
                break
            if last and not [1 for _ in tail.frames(0)] and tail.position.offset == 0:
                break
        tail.close()

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    for number in range(0, 2_000, 10):
        written(log, *(b"%d" % each for each in range(number, number + 10)))
    ended.set()
    reader.join(60)
    log.close()

    assert found == [b"%d" % number for number in range(2_000)]


def test_a_frame_larger_than_a_readers_chunk_is_read(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path)
    log.open()
    written(log, b"before", b"x" * 9_000_000, b"after")
    log.close()

    assert [len(body) for body in read(tmp_path)] == [6, 9_000_000, 5]


def test_a_torn_tail_is_cut_off_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path)
    log.open()
    written(log, b"one", b"two")
    log.close()
    (_, path) = segment_paths(tmp_path)[0]
    head, tail = encode(frame(b"three"))
    with path.open("ab") as file:
        file.write((head + tail)[: HEADER_BYTES + 2])

    assert read(tmp_path) == [b"one", b"two"]
    again = SegmentLog(tmp_path)
    again.open()
    written(again, b"four")
    again.close()

    assert sound_length(path) == path.stat().st_size
    assert read(tmp_path) == [b"one", b"two", b"four"]


def test_two_detectors_do_not_share_a_folder(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path)
    log.open()

    with pytest.raises(OSError, match="in use by another detector"):
        SegmentLog(tmp_path).open()
    log.close()
    other = SegmentLog(tmp_path)
    other.open()
    other.close()


WRITER = """
import sys, threading, os
from pathlib import Path
from agentcop_detectors.segments.frame import Encoding, Frame
from agentcop_detectors.segments.log import SegmentLog
log = SegmentLog(Path(sys.argv[1]), segment_bytes=20_000)
log.open()
for number in range(10**9):
    done = threading.Event()
    log.append(Frame(Encoding.PROTOBUF, 1, "", b"%d" % number), lambda failed: done.set())
    done.wait()
    os.write(1, b"%d\\n" % number)
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    acknowledged = 0
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(300):
                assert writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read()
        acknowledged += 300 + rest.count(b"\n")

    found = read(tmp_path)

    assert len(found) >= acknowledged
    assert found.count(b"0") == 3  # each writer began anew, and none of its frames came twice
    assert len(found) - acknowledged <= 3  # at most one a kill was on disk and not yet said


def test_a_disk_that_fails_acknowledges_nothing_and_never_reuses_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SegmentLog(tmp_path, fsync=True)
    log.open()
    assert written(log, b"fine") == [None]
    sync = os.fdatasync

    def fails(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    refused = written(log, b"lost")
    assert isinstance(refused[0], NotWritten)
    broken = [log.broken]
    monkeypatch.setattr(os, "fdatasync", sync)
    assert written(log, b"again") == [None]
    broken.append(log.broken)
    log.close()

    assert len(segment_paths(tmp_path)) == 2
    assert broken == [True, False]
    assert read(tmp_path)[-1] == b"again"


def test_after_the_end_nothing_is_acknowledged(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path)
    log.open()
    log.close()

    assert isinstance(written(log, b"late")[0], NotWritten)
    assert read(tmp_path) == []
