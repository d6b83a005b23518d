"""What agents left on disk reaches the segment log once, whatever is killed in between, and is removed then."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from agentcop_core.otlp.lines import to_line
from agentcop_core.spool import SpoolReader, SpoolWriter, has_reader
from agentcop_detectors.normalise.json_form import spans_of
from agentcop_detectors.segments.frame import Encoding, Frame
from agentcop_detectors.segments.log import NotWritten, SegmentLog
from agentcop_detectors.segments.tail import Tail
from agentcop_detectors.spool.intake import SpoolIntake
from agentcop_detectors.spool.positions import place_of, source_of
from exporting import until
from otlp_requests import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def line(name: str) -> bytes:
    made = request(1)
    made.resource_spans[0].scope_spans[0].spans[0].name = name
    return to_line(made)


class Place:
    """A spool, and the log it is read into."""

    def __init__(self, folder: Path) -> None:
        self.spool = folder / "spool"
        self.segments = folder / "detector" / "segments"
        self.positions = folder / "detector" / "spool.json"
        self.writer = SpoolWriter(self.spool, segment_bytes=2_000)

    def write(self, *names: str) -> None:
        for name in names:
            assert self.writer.append(line(name))

    @contextmanager
    def reading(self, lag: Callable[[], int] = lambda: 0) -> Iterator[SpoolIntake]:
        log = SegmentLog(self.segments)
        log.open()
        intake = SpoolIntake(self.spool, log, positions=self.positions, segments=self.segments, lag=lag)
        intake.start()
        try:
            yield intake
        finally:
            intake.stop()
            log.close()

    def frames(self) -> list[Frame]:
        tail = Tail(self.segments)
        found = [frame for _, frame in tail.frames(100_000)]
        tail.close()
        return found

    def names(self) -> list[str]:
        return [span.name for frame in self.frames() for span in spans_of(frame.body)]

    def files(self) -> list[str]:
        return sorted(path.suffix for path in self.spool.glob("*-*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_lines_are_taken_in_order_while_they_are_written_and_removed_once_finished(place: Place) -> None:
    names = [f"span {number}" for number in range(50)]
    with place.reading() as intake:
        until(lambda: has_reader(place.spool))
        place.write(*names[:20])
        until(lambda: place.names() == names[:20])
        place.write(*names[20:])
        place.writer.seal()
        until(lambda: place.names() == names)
        until(lambda: place.files() == [])
        assert intake.counts["spool_spans"] == 50
    assert not has_reader(place.spool)


def test_a_frame_says_which_line_it_was_and_speaks_without_a_token(place: Place) -> None:
    place.write("a")
    with place.reading():
        until(lambda: place.names() == ["a"])
    (frame,) = place.frames()
    assert frame.encoding is Encoding.JSON
    segment, end = place_of(frame.source) or ("", 0)
    assert (place.spool / f"{segment}.open").stat().st_size == end


def test_nothing_is_lost_or_doubled_when_it_stops_at_any_line(place: Place) -> None:
    names = [f"span {number}" for number in range(60)]
    for start in range(0, 60, 6):
        place.write(*names[start : start + 6])
        with place.reading():
            until(lambda start=start: place.names() == names[: start + 6])  # type: ignore[misc]
    assert place.names() == names


def test_what_is_in_the_log_but_not_in_the_positions_is_not_taken_again(place: Place) -> None:
    """The front was killed after the disk had the frame, and before it wrote down how far the spool was read."""
    place.write("a", "b")
    with place.reading():
        until(lambda: place.names() == ["a", "b"])
    kept = place.positions.read_bytes()
    place.write("c")
    with place.reading():
        until(lambda: place.names() == ["a", "b", "c"])
    place.positions.write_bytes(kept)
    place.write("d")
    with place.reading():
        until(lambda: place.names() == ["a", "b", "c", "d"])
    assert place.names() == ["a", "b", "c", "d"]


def test_what_is_in_the_positions_but_still_in_the_spool_is_removed_and_not_taken_again(place: Place) -> None:
    """The front was killed before it removed a segment that it had read to its end."""
    place.write("a", "b")
    place.writer.seal()
    (sealed,) = place.spool.glob("*.jsonl")
    kept = sealed.read_bytes()
    with place.reading():
        until(lambda: place.files() == [])
    sealed.write_bytes(kept)
    with place.reading():
        until(lambda: place.files() == [])
    assert place.names() == ["a", "b"]


def test_damaged_positions_cost_no_span(place: Place) -> None:
    place.write("a", "b")
    with place.reading():
        until(lambda: place.names() == ["a", "b"])
    place.positions.write_bytes(b"{")
    place.write("c")
    with place.reading():
        until(lambda: place.names() == ["a", "b", "c"])
    assert place.names() == ["a", "b", "c"]


def test_a_log_that_takes_nothing_leaves_the_lines_where_they_are(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: SegmentLog, frame: Frame, done: Callable[[NotWritten | None], None]) -> None:
        tried.append(frame)
        done(NotWritten("the disk is full"))

    tried: list[Frame] = []
    place.write("a", "b")
    place.writer.seal()
    with monkeypatch.context() as patch:
        patch.setattr(SegmentLog, "append", refuse)
        with place.reading():
            until(lambda: len(tried) >= 4)
            assert place.files() == [".jsonl"]
    with place.reading():
        until(lambda: place.names() == ["a", "b"])
        until(lambda: place.files() == [])


@pytest.mark.parametrize("broken", [b"{", b'{"resourceSpans": 5}', b"\xff\xfe", b"[]"])
def test_a_line_that_is_no_request_is_counted_and_does_not_stop_the_others(place: Place, broken: bytes) -> None:
    place.write("a")
    assert place.writer.append(broken)
    place.write("b")
    place.writer.seal()
    with place.reading() as intake:
        until(lambda: place.names() == ["a", "b"])
        until(lambda: place.files() == [])
        assert intake.counts["spool_malformed"] == 1


@pytest.mark.parametrize("name", ["9" * 240, "\udcff-1-a-local", "x\x1b[31m-1-a-local"])
def test_a_file_with_a_name_that_is_none_of_ours_does_not_stop_the_others(place: Place, name: str) -> None:
    place.write("a")
    (place.spool / f"{name}.jsonl").write_bytes(line("odd") + b"\n")
    place.write("b")
    place.writer.seal()
    with place.reading() as intake:
        until(lambda: {"a", "b"} <= set(place.names()))
        until(lambda: place.files() == [] and not (place.spool / f"{name}.jsonl").exists())
        assert intake.counts["spool_faults"] == 0


def test_it_stands_back_while_the_scorer_lags(place: Place) -> None:
    lag = [2**40]
    place.write("a")
    with place.reading(lag=lambda: lag[0]):
        place.write("b")
        assert place.frames() == []
        lag[0] = 0
        until(lambda: place.names() == ["a", "b"])


def test_it_waits_while_another_reads_the_same_spool(place: Place) -> None:
    place.write("a")
    other = SpoolReader(place.spool)
    assert other.acquire()
    with place.reading() as intake:
        assert not intake.reading
        other.release()
        until(lambda: place.names() == ["a"])
        assert intake.reading


def test_what_the_agents_lost_is_known(place: Place) -> None:
    place.write("a")
    place.writer.dropped.add("room", 7)
    with place.reading() as intake:
        until(lambda: intake.lost == 7)
        assert intake.lost == 7


@pytest.mark.parametrize("source", ["", "0123456789abcdef", "spool:", "spool:a", "spool::5", "spool:a:b", "spool:a:-1"])
def test_other_sources_are_no_place_in_the_spool(source: str) -> None:
    assert place_of(source) is None
    assert place_of(source_of("0001-2-ab-local", 17)) == ("0001-2-ab-local", 17)
