"""The scorer: what it makes does not depend on when it was killed, and nothing that is sent stops it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from agent_load import load, made
from agent_spans import SECOND, START, a_frame, a_step, write
from agentcop_detectors.checks._interface import Anomaly
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step


LATER = 3_600.0


class Clock:
    """Time as the test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SegmentLog]:
    log = SegmentLog(tmp_path / "segments", segment_bytes=100_000)
    log.open()
    yield log
    log.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'detector.db'}")
    yield engine
    engine.dispose()


def drain(scorer: Scorer, clock: Clock) -> None:
    """Read all there is, and let an hour pass."""
    while scorer.step():
        pass
    clock.now += LATER
    scorer.step()
    scorer.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_scorer_that_is_abandoned_again_and_again_makes_what_one_pass_makes(
    tmp_path: Path, log: SegmentLog, engine: Engine, seed: int
) -> None:
    frames = load(seed, 200)
    dice = random.Random(seed)  # noqa: S311 -- the same load every time
    clock = Clock()
    told: list[str] = []
    abandoned = recalled = 0

    def begun() -> Scorer:
        return Scorer(
            tmp_path / "segments",
            Store(engine, "it"),
            built_in(),
            tell=lambda found: told.extend(anomaly.key for _, anomaly, _ in found),
            clock=clock,
        )

    scorer = begun()
    while frames:
        count = dice.randint(1, 6)
        part, frames = frames[:count], frames[count:]
        write(log, part)
        clock.now = part[-1].received / 1e9
        scorer.step()
        if dice.random() < 0.3:
            scorer.step()
        if dice.random() < 0.3:
            abandoned += 1
            recalled += scorer.counts().recalled
            assert scorer.counts().unrecalled == 0
            scorer = begun()
    drain(scorer, clock)
    other = open_database(f"sqlite:///{tmp_path / 'clean.db'}")
    clean = Scorer(tmp_path / "segments", Store(other, "it"), built_in(), clock=clock)
    drain(clean, clock)

    assert abandoned > 8
    assert recalled > 3
    expected, found = made(other), made(engine)
    assert [len(expected[name]) > at_least for name, at_least in (("runs", 200), ("verdicts", 60), ("alerts", 30))] == [
        True
    ] * 3
    for name in expected:
        assert found[name] == expected[name]
    assert sorted(told) == sorted(set(told))
    other.dispose()


class Names:
    """Finds every step that is called `bad`."""

    name = "names"
    severity: Severity = "high"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        del state
        return [
            Anomaly(
                check=self.name, severity="high", agent_id=run.agent_id, reason="bad", trace_id=run.trace_id, key="bad"
            )
            for step in new
            if step.name == "bad"
        ]

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        del run, state
        return ()


def test_who_has_to_be_told_is_told_sooner_than_rows_are_written(
    tmp_path: Path, log: SegmentLog, engine: Engine
) -> None:
    clock, told = Clock(), list[str]()
    clock.now = START / SECOND
    tell = lambda found: told.extend(anomaly.key for _, anomaly, _ in found)  # noqa: E731 -- handed on
    scorer = Scorer(tmp_path / "segments", Store(engine, "it"), (Names(),), tell=tell, clock=clock)
    scorer.step()

    def passes(seconds: float, name: str) -> int:
        clock.now += seconds
        write(log, [a_frame([a_step(len(name), name=name)], int(clock.now * SECOND))])
        scorer.step()
        return scorer.counts().commits

    before = scorer.counts().commits
    assert passes(0.06, "good") == before, "nobody waits for that"
    assert passes(0.06, "bad") == before + 1
    assert told == ["bad"]
    scorer.close()


def test_a_scorer_that_starts_before_anything_was_received_waits(tmp_path: Path, engine: Engine) -> None:
    clock = Clock()
    scorer = Scorer(tmp_path / "not" / "there", Store(engine, "it"), built_in(), clock=clock)
    assert not scorer.step()
    log = SegmentLog(tmp_path / "not" / "there")
    log.open()
    write(log, load(1, 3)[:1])
    assert scorer.step()
    scorer.close()
    log.close()
