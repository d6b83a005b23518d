"""The detector's tables and the scorer on a real PostgreSQL: as on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent_load import load, made
from agent_spans import write
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.store.database import DatabaseUnusable, open_database
from agentcop_detectors.store.writer import Store
from postgres_server import postgres
from served import free_port
from store_claims import StoreClaims

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from postgres_server import Cluster

pytestmark = pytest.mark.detector


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgres() as running:
        yield running


class TestStore(StoreClaims):
    @pytest.fixture
    def engine(self, cluster: Cluster) -> Iterator[Engine]:
        engine = open_database(cluster.fresh())
        yield engine
        engine.dispose()


def test_the_scorer_makes_there_what_it_makes_on_sqlite(cluster: Cluster, tmp_path: Path) -> None:
    log = SegmentLog(tmp_path / "segments")
    log.open()
    frames = load(3, 200)
    write(log, frames)
    found = []
    for url in (cluster.fresh(), f"sqlite:///{tmp_path / 'detector.db'}"):
        engine = open_database(url)
        now = frames[-1].received / 1e9
        times = iter([now] * 3 + [now + 3_600] * 10_000)
        scorer = Scorer(tmp_path / "segments", Store(engine, "it"), built_in(), clock=lambda times=times: next(times))  # type: ignore[misc]
        while scorer.step():
            pass
        scorer.step()
        scorer.close()
        found.append(made(engine))
        engine.dispose()
    log.close()

    assert len(found[0]["runs"]) > 200
    assert len(found[0]["alerts"]) > 30
    assert found[0] == found[1]


def test_a_server_that_is_not_there_is_said_without_a_password() -> None:
    with pytest.raises(DatabaseUnusable, match="cannot be used") as refused:
        open_database(f"postgresql+pg8000://someone:secret@127.0.0.1:{free_port()}/none")
    assert "secret" not in str(refused.value)
