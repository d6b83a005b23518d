"""The scorer as a process, killed again and again under load: what it made is what one undisturbed pass makes."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from agent_load import load, made
from agent_spans import write
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.segments.names import sealed_paths
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.tables import ALERTS
from agentcop_detectors.store.writer import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame

pytestmark = pytest.mark.detector

SEGMENT = 100_000
KILLS = 14
LATER = 3_600.0

# Its clock is a file, by which minutes pass in a second: all that was received before that time is on disk.
SCORER = """
import os, sys, threading, time
from pathlib import Path
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.housekeeping import Housekeeping
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.spans import SpanStore
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.writer import Store

folder, database, told_at, clock_at, stop_at = map(Path, sys.argv[1:])
told = os.open(told_at, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

def clock():
    return float(clock_at.read_text())

def say(ids):
    os.write(told, b"".join(b"%d\\n" % each for each in ids))
    store.mark_told(ids, "sent", clock())

engine = open_database(f"sqlite:///{database}")
store = Store(engine, "it")
say([untold.id for untold in store.untold()])
scorer = Scorer(folder, store, built_in(), clock=clock, tell=lambda found: say([row for row, _, _ in found]))
spans = SpanStore(folder)
keeping = Housekeeping(
    engine, spans, folder, retain=None, resume=lambda: scorer.resume, forget=lambda agent: scorer.forget(agent)
)

def keep():
    while True:
        keeping.step(clock())
        time.sleep(0.05)

threading.Thread(target=keep, daemon=True).start()
print("ready", flush=True)
while True:
    last = stop_at.exists()
    if not scorer.step():
        if last:
            break
        time.sleep(0.005)
scorer.close()
"""


class _Sender(threading.Thread):
    """Writes frames to two folders, and lets the clock follow."""

    def __init__(self, frames: list[Frame], logs: list[SegmentLog], clock: Path) -> None:
        super().__init__(daemon=True)
        self.frames = frames
        self.logs = logs
        self.clock = clock

    def run(self) -> None:
        for frame in self.frames:
            # No frame is from the future by more than a moment, and none comes after a time that has passed.
            passes(self.clock, frame.received / 1e9 - 1)
            for log in self.logs:
                write(log, [frame])
            passes(self.clock, frame.received / 1e9)
            time.sleep(0.008)


def passes(clock: Path, now: float) -> None:
    new = clock.with_suffix(".new")
    new.write_text(repr(now))
    new.replace(clock)


def test_killed_under_load_it_makes_the_same_runs_verdicts_and_alerts(
    tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(5)  # noqa: S311 -- the same load every time
    frames = load(5, 2_500)
    killed, clean, clock, stop = (tmp_path / name for name in ("killed", "clean", "clock", "stop"))
    logs = [SegmentLog(folder, segment_bytes=SEGMENT) for folder in (killed, clean)]
    for log in logs:
        log.open()
    passes(clock, frames[0].received / 1e9)
    sender = _Sender(frames, logs, clock)
    sender.start()
    arguments = [killed, tmp_path / "killed.db", tmp_path / "told", clock, stop]
    command = [sys.executable, "-c", SCORER, *map(str, arguments)]

    kills = 0
    while kills < KILLS:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as scorer:
            assert scorer.stdout is not None
            assert scorer.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0.02, 0.9))
            assert scorer.poll() is None
            scorer.kill()
            kills += sender.is_alive()
        if not sender.is_alive():
            break
    sender.join(120)
    passes(clock, frames[-1].received / 1e9 + LATER)
    stop.touch()
    subprocess.run(command, check=True, timeout=300, capture_output=True)

    engine, other = (open_database(f"sqlite:///{tmp_path / name}") for name in ("killed.db", "clean.db"))
    undisturbed = Scorer(clean, Store(other, "it"), built_in(), clock=lambda: float(clock.read_text()))
    while undisturbed.step():
        pass
    undisturbed.step()
    undisturbed.close()
    found, expected = made(engine), made(other)
    for name, figure in (
        ("kills", kills),
        ("frames", len(frames)),
        *((name, len(rows)) for name, rows in expected.items()),
    ):
        record_testsuite_property(f"scorer: {name}", figure)
    assert kills >= KILLS // 2
    assert len(expected["runs"]) > 2_000
    for name in expected:
        assert found[name] == expected[name]
    assert len(sealed_paths(killed)) > 3
    with engine.connect() as connection:
        rows = connection.execute(select(ALERTS.c.id, ALERTS.c.told)).all()
    assert {row.told for row in rows} == {"sent"}
    assert {int(line) for line in (tmp_path / "told").read_text().split()} == {row.id for row in rows}
    for log in logs:
        log.close()
    engine.dispose()
    other.dispose()
