"""Where `agentcop alerts` looks: the spool of messages in the state folder, and the detector's database beside it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop.cli._output import say
from agentcop_alerts.outbox import Outbox
from agentcop_core.errors import AgentCopError
from agentcop_core.home import absolute, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_alerts.item import Item, State
    from agentcop_detectors.step import Step
    from agentcop_detectors.store.reader import Reader, StoredAlert

_DATABASE: Final = "AGENTCOP_DATABASE_URL"
_NEEDED: Final = ("alembic", "msgspec", "sqlalchemy")
_LIMIT: Final = 1_000


class NotFound(AgentCopError):  # noqa: N818 -- what it is
    """There is no alert of this id here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the spool."""

    state: State
    item: Item

    @property
    def short(self) -> str:
        """The last piece of its id, by which it can be asked for."""
        return self.item.id.rpartition("-")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What is at hand. `reader` None: there is no detector's database here."""

    home: Path
    outbox: Outbox
    reader: Reader | None

    def messages(self, *states: State) -> list[Message]:
        """Messages in these states, oldest first."""
        found = [Message(state=state, item=item) for state in states for item in self.outbox.items(state)]
        return sorted(found, key=lambda each: (each.item.created, each.item.id))

    def message(self, given: str) -> Message:
        """The one message with this id, or whose id ends so. Raises NotFound."""
        found = [each for each in self.messages("sent", "failed", "pending") if given in {each.item.id, each.short}]
        if len({each.item.id for each in found}) > 1:
            raise NotFound(f"{len(found)} messages have an id that ends in {given}: write the whole id")
        if not found:
            raise NotFound(f"no alert {given}: `agentcop alerts list` shows the ids")
        return found[0]

    def rows(self, limit: int = _LIMIT, *, only_open: bool = False) -> list[StoredAlert]:
        """The newest alerts of the database, oldest first."""
        return self.reader.alerts(limit=limit, only_open=only_open)[::-1] if self.reader is not None else []

    def row(self, number: int) -> StoredAlert:
        """One alert of the database. Raises NotFound."""
        if self.reader is None:
            raise NotFound(f"no alert {number}: there is no detector's database here; --database names another")
        row = self.reader.alert(number)
        if row is None:
            raise NotFound(f"no alert {number}: `agentcop alerts list` shows the ids")
        return row

    def of_row(self, row: StoredAlert) -> list[Message]:
        """The messages that were made of an alert."""
        return [
            each
            for each in self.messages("sent", "failed", "pending")
            if any(ref.partition("-")[0] == str(row.id) for ref in each.item.refs)
        ]

    def steps(self, trace_id: str) -> list[Step]:
        """The steps of a run, as far as the detector of this state folder still has them."""
        from agentcop_detectors.segments.spans import SpanStore

        segments = self.home / "detector" / "segments"
        return SpanStore(segments).trace(bytes.fromhex(trace_id)) if trace_id and segments.is_dir() else []


@contextmanager
def places(home: Path | None, database: str | None) -> Iterator[Places]:
    """What is at hand: the state folder, and the database if there is one. Raises OSError, AgentCopError."""
    folder = state_folder() if home is None else Path(absolute(str(home)))
    if not folder.is_dir():
        raise OSError(f"there is no state folder {folder}: nothing was armed there yet, or --home is another")
    outbox = Outbox(folder / "alerts")
    url = database or os.environ.get(_DATABASE) or ""
    file = folder / "detector" / "detector.db"
    if not url and not file.is_file():
        yield Places(home=folder, outbox=outbox, reader=None)
        return
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        said = f"the detector's database needs {', '.join(missing)}: pip install 'agentcop-runtime[detector]'"
        if url:
            raise AgentCopError(said)
        say(f"{said}; what stands in {file} is not shown")
        yield Places(home=folder, outbox=outbox, reader=None)
        return
    from agentcop_detectors.store.reader import Reader, connect

    engine = connect(url or f"sqlite:///{file}")
    try:
        yield Places(home=folder, outbox=outbox, reader=Reader(engine))
    finally:
        engine.dispose()
