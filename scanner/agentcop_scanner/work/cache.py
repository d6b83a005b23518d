"""Results of earlier scans. A fault of it costs time and nothing else: it is told once, and the scan goes on."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Self

from agentcop_core.home import make_private
from agentcop_scanner.work.codec import decoded, encoded

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_scanner.analysis import Analysis

_DAY = 86_400
_KEPT_DAYS = 30
"""What no scan has asked for in so long is forgotten."""
_TABLE = "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, day INTEGER NOT NULL, analysis BLOB NOT NULL)"


class Cache:
    """A file in a folder. Closed at the end of a `with`; what was put into it is written then."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scan.sqlite"
        self._database: sqlite3.Connection | None = None
        self._today = int(time.time()) // _DAY
        self._used: list[str] = []
        self.problem = ""
        """What went wrong with it, for the report; "" if nothing did."""

    def __enter__(self) -> Self:
        try:
            make_private(self._file.parent)
            self._database = self._opened()
        except (OSError, sqlite3.Error) as error:
            self._broken(error)
        return self

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except sqlite3.DatabaseError:
            self._file.unlink(missing_ok=True)  # not a database, or half of one
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=5, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(_TABLE)
            database.execute("BEGIN")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def __exit__(self, *_: object) -> None:
        if self._database is None:
            return
        try:
            self._database.executemany(
                "UPDATE results SET day = ? WHERE key = ?", [(self._today, key) for key in self._used]
            )
            self._database.execute("DELETE FROM results WHERE day < ?", (self._today - _KEPT_DAYS,))
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._broken(error)
        finally:
            self._database.close()
            self._database = None

    def get(self, key: str) -> Analysis | None:
        """What was found for a key; None if nothing is known."""
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT day, analysis FROM results WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            if row[0] != self._today:
                self._used.append(key)
            return decoded(row[1])
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            self._broken(error)
            return None

    def put(self, key: str, analysis: Analysis) -> None:
        """Remembers what was found for a key."""
        if self._database is None:
            return
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (key, self._today, encoded(analysis))
            )
        except sqlite3.Error as error:
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        self.problem = f"the cache in {self._file.parent} was not used: {str(error)[:120]}"
