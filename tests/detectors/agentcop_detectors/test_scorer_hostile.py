"""Whatever agents send, the scorer stays alive and within bounds, and counts what it could not take whole."""

from __future__ import annotations

import gc
import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from agent_spans import SECOND, START, a_frame, a_step, ident, sent, write
from agentcop_detectors.assemble.runs import Limits, Runs
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.receive.tokens import Tokens
from agentcop_detectors.run import Run
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.frame import Encoding, Frame
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.tables import ALERTS, RUNS
from agentcop_detectors.store.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly, State
    from agentcop_detectors.step import Step

MB = 1024 * 1024
NOW = START // SECOND


class Scored:
    """A scorer over a log of its own, by a clock that the test moves."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.now = float(NOW)
        self.log = SegmentLog(folder / "segments", segment_bytes=4 * MB)
        self.log.open()
        self.engine = open_database(f"sqlite:///{folder / 'detector.db'}")
        self.told: list[Anomaly] = []
        options.setdefault("checks", built_in())
        self.scorer = Scorer(
            folder / "segments",
            Store(self.engine, "it"),
            tell=lambda found: self.told.extend(anomaly for _, anomaly, _ in found),
            clock=lambda: self.now,
            **options,
        )

    def take(self, *frames: Frame) -> None:
        """Write and read these."""
        write(self.log, frames)
        while self.scorer.step():
            pass
        self.scorer.commit(self.now)

    def steps(self, *steps: Step) -> None:
        """One frame that is received now."""
        self.take(a_frame(steps, int(self.now * SECOND)))

    def passes(self, seconds: float) -> None:
        """Time, in which nothing comes."""
        self.now += seconds
        self.scorer.step()
        self.scorer.commit(self.now)

    def runs(self) -> list[Any]:
        """The rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(RUNS).order_by(RUNS.c.trace_id)))

    def close(self) -> None:
        """Let all go."""
        self.scorer.close()
        self.log.close()
        self.engine.dispose()


@pytest.fixture
def scored(tmp_path: Path) -> Iterator[Scored]:
    made = Scored(tmp_path)
    yield made
    made.close()


def test_a_trace_that_never_ends_stays_small_and_its_last_call_is_judged(scored: Scored) -> None:
    trace = ident(1, 16)
    numbers = itertools.count(1)
    for _ in range(100):
        scored.now += 300
        part = [a_step(next(numbers), trace_id=trace, parent_id=b"parent__", verdict="allow") for _ in range(200)]
        scored.steps(*part)
    bare = a_step(next(numbers), trace_id=trace, parent_id=b"parent__", name="bare")
    scored.steps(bare)
    scored.passes(3_600)

    (row,) = scored.runs()
    counts = scored.scorer.counts()
    assert (row.steps, row.tool_calls, row.unenforced, row.closed) == (20_001, 20_001, 1, "idle")
    assert counts.shed == row.dropped > 10_000
    assert [each.tool for each in scored.told if each.check == "unenforced_call"] == ["bare"]
    assert [each.check for each in scored.told if each.check == "volume"] == ["volume", "volume"]
    assert counts.held_bytes < 10 * MB


def test_a_run_that_pads_itself_with_spans_hides_no_block(scored: Scored) -> None:
    padding = [a_step(number, kind="other", parent_id=b"parent__", start=START + number) for number in range(1, 12_000)]
    blocked = a_step(20_000, parent_id=b"parent__", verdict="block", start=START - SECOND)
    scored.steps(*padding)
    scored.steps(blocked)

    assert [each.check for each in scored.told] == ["gate_block"]
    assert scored.runs()[0].blocked == 1


def test_tens_of_thousands_of_tiny_runs_do_not_fill_memory(tmp_path: Path) -> None:
    made = Scored(tmp_path, runs=Runs(Limits(bytes=2 * MB)), agents_held=500)
    for at in range(0, 20_000, 2_000):
        made.now += 0.1
        made.steps(
            *(
                a_step(1, trace_id=ident(number, 16), parent_id=b"parent__", agent_id=f"agent-{number // 2}")
                for number in range(at, at + 2_000)
            )
        )
        assert made.scorer.counts().held_bytes <= 2 * MB
        assert made.scorer.counts().agents_held <= 500
    counts = made.scorer.counts()

    assert len(made.runs()) == 20_000 - 1  # a trace id of zeros is none
    assert counts.closed_for_room > 18_000
    assert counts.unusable == 1
    assert sum(type(each) is Run for each in gc.get_objects()) < 2_000
    made.close()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 0),
        (1, START),
        (START, 1),
        (4_102_444_800 * SECOND, 4_102_444_800 * SECOND),
        (2**64 - 1, 0),
        (2**63, 2**64 - 1),
    ],
    ids=["1970", "1970 to now", "end before start", "2100", "the last moment, backwards", "beyond 63 bits"],
)
def test_a_clock_that_is_wrong_is_counted_and_the_run_is_judged(scored: Scored, start: int, end: int) -> None:
    skewed = a_step(1, start=start, end=end, parent_id=b"parent__", verdict="block")
    scored.steps(skewed, a_step(2, parent_id=b"parent__", verdict="block"))
    scored.passes(3_600)

    (row,) = scored.runs()
    assert (row.steps, row.blocked, row.closed) == (2, 2, "idle")
    assert {each.check for each in scored.told} == {"gate_block"}
    assert scored.scorer.counts().skewed == (start != START)


def test_a_frame_from_the_future_holds_up_nothing(scored: Scored) -> None:
    scored.take(a_frame([a_step(1, parent_id=b"parent__")], 2**63))
    scored.passes(5 * 3_600)
    scored.steps(a_step(2, trace_id=ident(2, 16)))
    scored.passes(3_600)

    assert [row.closed for row in scored.runs()] == ["idle", "root"]


def test_what_is_replayed_makes_nothing_new(scored: Scored) -> None:
    frames = [
        a_frame([a_step(1, trace_id=ident(number, 16), verdict="block")], int((NOW + number) * SECOND))
        for number in range(1, 150)
    ]
    scored.now += 200
    scored.take(*frames)
    scored.passes(3_600)
    before, told = scored.runs(), len(scored.told)

    scored.take(*(frame._replace(received=int(scored.now * SECOND)) for frame in frames for _ in range(3)))
    scored.passes(3_600)

    counts = scored.scorer.counts()
    assert scored.runs() == before
    assert len(scored.told) == told == 149
    assert counts.duplicates + counts.unrecalled >= 3 * 149
    # A flood of them costs no more than so many look-ups at a time; the others are judged by what is there.
    assert 0 < counts.recalled <= 150
    assert len(scored.runs()) == 149


def test_huge_attributes_are_cut_and_a_run_full_of_them_stays_small(scored: Scored) -> None:
    for number in range(1, 100):
        scored.steps(
            a_step(number, parent_id=b"parent__", arguments="x" * 900_000, reason="y" * 90_000, verdict="block")
        )
    counts = scored.scorer.counts()

    assert counts.steps == 99
    assert counts.held_bytes < 12 * MB
    assert scored.runs()[0].blocked == 99
    assert all(len(each.reason) < 20_000 for each in scored.told)


def test_a_span_that_cannot_be_read_spoils_no_other(scored: Scored) -> None:
    good = sent([a_step(1), a_step(2, trace_id=ident(2, 16))])
    body = good.SerializeToString()
    bad = b"\x0a\x10" + ident(9, 16) + b"\x4a\xff\xff\xff\xff\x0f"  # an attribute that is longer than all there is
    scope = good.resource_spans[0].scope_spans[0].SerializeToString()
    longer = scope + b"\x12" + bytes([len(bad)]) + bad
    resource = b"\x12" + _length(len(longer)) + longer
    poisoned = b"\x0a" + _length(len(resource)) + resource
    scored.take(
        Frame(Encoding.PROTOBUF, START, "", poisoned),
        Frame(Encoding.PROTOBUF, START, "", b"\xff" * 50),
        Frame(Encoding.JSON, START, "", b"{"),
        Frame(Encoding.JSON, START, "", b'{"resourceSpans": [{"scopeSpans": 7}, 9, null]}'),
        Frame(Encoding.PROTOBUF, START, "", body),
    )

    counts = scored.scorer.counts()
    assert (counts.frames, counts.poisoned) == (5, 3)
    assert counts.steps == 4
    assert [row.trace_id for row in scored.runs()] == [ident(1, 16), ident(2, 16)]


def _length(number: int) -> bytes:
    packed = bytearray()
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*packed, number])


def test_random_bytes_are_passed_over(scored: Scored) -> None:
    dice = random.Random(3)  # noqa: S311 -- the same bytes every time
    whole = sent([a_step(number) for number in range(1, 20)]).SerializeToString()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 8)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        frames = [Frame(encoding, START, "", bytes(data)) for encoding in Encoding]
        write(scored.log, frames)
    while scored.scorer.step():
        pass
    scored.passes(3_600)
    assert scored.scorer.counts().frames == 600
    scored.steps(a_step(1, trace_id=ident(777, 16)))
    assert ident(777, 16) in {row.trace_id for row in scored.runs()}


def test_a_token_speaks_for_its_agents_alone(tmp_path: Path) -> None:
    made = Scored(tmp_path, tokens=Tokens(agents={"a" * 64: ("billing*",)}))
    steps = [a_step(1), a_step(2, agent_id="support", trace_id=ident(2, 16), verdict="block")]
    made.take(a_frame(steps, source="a" * 16), a_frame(steps, source="b" * 16))

    assert made.scorer.counts().foreign == 3
    assert [row.agent_id for row in made.runs()] == ["billing"]
    assert made.told == []
    made.close()


class Faulty:
    """A check that fails."""

    name = "faulty"
    severity = "low"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> list[Anomaly]:
        raise RuntimeError(run.trace_id)

    def on_look(self, run: Run, state: State) -> list[Anomaly]:
        raise RuntimeError(run.trace_id)


def test_a_check_that_fails_stops_no_other_and_fills_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Scored(tmp_path, checks=(Faulty(), *built_in()))
    for number in range(1, 60):
        made.steps(a_step(number, verdict="block", parent_id=b"parent__"))

    assert made.scorer.counts().check_faults >= 59
    assert sum(each.check == "gate_block" for each in made.told) == 59
    assert len([record for record in caplog.records if "check faulty failed" in record.getMessage()]) == 10
    made.close()


def test_a_teller_that_fails_loses_no_alert(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Scored(tmp_path)

    def fails(found: object) -> None:
        raise ConnectionError

    made.scorer._tell = fails  # noqa: SLF001 -- as if it had been given
    made.steps(a_step(1, verdict="block"))

    assert made.scorer.counts().tell_faults == 1
    assert [each.anomaly.check for each in Store(made.engine, "it").untold()] == ["gate_block"]
    assert "told at the next start" in caplog.text
    made.close()


def test_while_the_database_refuses_nothing_piles_up_and_nothing_is_lost(
    scored: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = scored.scorer._store  # noqa: SLF001 -- the database fails below it
    commit = store.commit

    def refuses(batch: object) -> list[Any]:
        raise OSError("the database is away")

    monkeypatch.setattr(store, "commit", refuses)
    write(scored.log, [a_frame([a_step(1, trace_id=ident(number, 16), verdict="block")]) for number in range(1, 900)])
    scored.now += 1
    with pytest.raises(OSError, match="is away"):
        scored.scorer.step()
    position = scored.scorer.counts().position
    for _ in range(5):
        scored.now += 1
        with pytest.raises(OSError, match="is away"):
            scored.scorer.step()
    assert scored.scorer.counts().position == position
    assert scored.scorer.counts().commit_faults == 6
    assert scored.runs() == []

    monkeypatch.setattr(store, "commit", commit)
    while scored.scorer.step():
        pass
    scored.passes(3_600)
    assert len(scored.runs()) == len(scored.told) == 899
    with scored.engine.connect() as connection:
        assert len(connection.execute(select(ALERTS.c.id)).all()) == 899
