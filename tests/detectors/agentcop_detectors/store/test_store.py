"""The detector's tables on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_detectors.store.database import DatabaseUnusable, open_database
from store_claims import StoreClaims

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine


class TestStore(StoreClaims):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        engine = open_database(f"sqlite:///{tmp_path / 'state' / 'detector.db'}")
        yield engine
        engine.dispose()


def test_opening_a_database_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'detector.db'}"
    seen = []
    for _ in range(2):
        engine = open_database(url)
        with engine.connect() as connection:
            seen.append(connection.exec_driver_sql("SELECT name, sql FROM sqlite_master ORDER BY name").all())
        engine.dispose()
    assert seen[0] == seen[1] != []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url", "cannot be read: it looks like"),
        ("sqlite:////proc/nowhere/x.db", "cannot be used"),
        ("mysql+nothing://user:secret@host/db", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_says_why_and_no_password(url: str, said: str) -> None:
    with pytest.raises(DatabaseUnusable, match=said) as refused:
        open_database(url)
    assert "secret" not in str(refused.value)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "detector.db"
    path.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(DatabaseUnusable, match="cannot be used"):
        open_database(f"sqlite:///{path}")
