"""The connection to the database, at the schema that this build needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from agentcop_core.errors import AgentCopError
from agentcop_core.home import make_private

if TYPE_CHECKING:
    from sqlalchemy import Engine

_BUSY_SECONDS: Final = 30


class DatabaseUnusable(AgentCopError):  # noqa: N818 -- what it is
    """The database cannot be opened or brought to this build's schema; says why, without a password."""


def default_url(home: Path) -> str:
    """SQLite in the state folder."""
    return f"sqlite:///{home / 'detector' / 'detector.db'}"


def open_database(url: str) -> Engine:
    """An engine whose schema is this build's. Blocks; raises DatabaseUnusable."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUnusable(
            "the database URL cannot be read: it looks like sqlite:///PATH or postgresql+pg8000://…"
        ) from None
    shown = parsed.render_as_string(hide_password=True)
    engine = None
    try:
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            make_private(Path(parsed.database).parent)
        engine = create_engine(parsed, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite)
        _migrate(engine)
    except ModuleNotFoundError as error:
        raise DatabaseUnusable(f"{shown} needs the Python package {error.name}: pip install {error.name}") from None
    except (SQLAlchemyError, OSError) as error:
        if engine is not None:
            engine.dispose()
        raise DatabaseUnusable(f"{shown} cannot be used: {_first_line(error)}") from None
    return engine


def _sqlite(connection: object, _: object) -> None:
    """Readers beside the one writer, and a wait in place of `database is locked`."""
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_SECONDS * 1_000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "agentcop_detectors.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
