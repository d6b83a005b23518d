"""The spool of alerts: what waits, what went out, what did not. Survives the process.

In `<home>/alerts/` (0700), files 0600:

    pending/<created>-<pid>-<random>.json    one message for one channel
    pending/repeat-<thread>-<channel>.json   a roll-up, to which later counts are added until somebody sends it
    sent/, failed/                           the last 200 of each
    lost.json                                how many were never written because 1,000 were waiting
    lock                                     held while a roll-up is added to or taken

Any number of processes share the folder. A message is sent by whoever holds the lock of its file, which the kernel
gives back when that process dies: delivery is at least once.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_alerts.item import decode
from agentcop_core.filelock import try_lock, unlock
from agentcop_core.home import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_alerts.item import Item, State

MAX_PENDING: Final = 1_000
MAX_SETTLED: Final = 200
_LOCK_TRIES: Final = 100
_LOCK_PAUSE: Final = 0.01


class Claim:
    """A pending item that this process alone may send; settle it or put it off while it is held."""

    def __init__(self, outbox: Outbox, path: Path, item: Item) -> None:
        """Made by `Outbox.claim`."""
        self._outbox = outbox
        self._path = path
        self.item = item

    def sent(self, now: float) -> None:
        """Its channel took it. Raises OSError."""
        self._settle("sent", replace(self.item, attempts=self.item.attempts + 1, reason="", settled=now))

    def failed(self, reason: str, now: float) -> None:
        """It is given up. Raises OSError."""
        self._settle("failed", replace(self.item, attempts=self.item.attempts + 1, reason=reason, settled=now))

    def put_off(self, reason: str, until: float) -> None:
        """The attempt failed; the next is not before `until`. Raises OSError."""
        later = replace(self.item, attempts=self.item.attempts + 1, reason=reason, not_before=until)
        self._outbox.write(self._path, later)

    def _settle(self, state: State, item: Item) -> None:
        try:
            self._outbox.settle(state, item)
        finally:  # a disk too full for the record must not make it go out again and again
            self._path.unlink(missing_ok=True)


class Outbox:
    """One folder of alerts. Thread-safe; every method may block on the disk and raise OSError."""

    def __init__(self, folder: Path) -> None:
        """Nothing is created before something is put there."""
        self.folder = folder

    def put(self, item: Item) -> bool:
        """Keep `item` until it is sent; a repeat is added to one that waits. False if too many wait: it is lost."""
        self._make()
        if item.repeat:
            path = self.folder / "pending" / f"repeat-{item.thread}-{item.channel}.json"
            with self._locked():
                if (waiting := _read(path)) is not None:
                    since = min(waiting.since, item.since)
                    soonest = min(waiting.not_before, item.not_before)
                    item = replace(
                        item,
                        count=item.count + waiting.count,
                        since=since,
                        not_before=soonest,
                        created=waiting.created,
                        refs=(*waiting.refs, *item.refs),
                    )
                elif self._full():
                    return self._lose()
                self.write(path, item)
            return True
        if self._full():
            return self._lose()
        self.write(self.folder / "pending" / f"{item.id}.json", item)
        return True

    def settle(self, state: State, item: Item) -> None:
        """Record what became of `item`; the oldest records beyond 200 go."""
        self._make()
        folder = self.folder / state
        self.write(folder / f"{int(item.settled * 1000):013d}-{item.id}.json", replace(item, run=""))
        for name in sorted(_names(folder))[:-MAX_SETTLED]:
            (folder / name).unlink(missing_ok=True)

    def items(self, state: State) -> list[Item]:
        """All readable items in this state, oldest first."""
        folder = self.folder / state
        found = [item for name in _names(folder) if (item := _read(folder / name)) is not None]
        return sorted(found, key=lambda item: (item.settled, item.created, item.id))

    def acknowledge(self, item_id: str, by: str, now: float) -> Item | None:
        """Write down that a person took on a message that was sent or given up; None if there is none of this id.

        One that was acknowledged before is returned as it was.
        """
        for state in ("sent", "failed"):
            for name in _names(self.folder / state):
                if not name.endswith(f"-{item_id}.json"):
                    continue
                item = _read(self.folder / state / name)
                if item is None or item.id != item_id:
                    continue
                if not item.acknowledged:
                    item = replace(item, acknowledged=now, acknowledged_by=by)
                    self.write(self.folder / state / name, item)
                return item
        return None

    @property
    def has_pending(self) -> bool:
        """Whether anything waits. Reads one directory."""
        return bool(_names(self.folder / "pending"))

    def waiting(self) -> list[tuple[Path, Item]]:
        """What waits and where, oldest first."""
        folder = self.folder / "pending"
        found = [(folder / name, item) for name in _names(folder) if (item := _read(folder / name)) is not None]
        return sorted(found, key=lambda each: (each[1].created, each[1].id))

    @contextlib.contextmanager
    def claim(self, path: Path, item: Item) -> Iterator[Claim | None]:
        """Hold this item while it is sent; None if another process has it or it is gone.

        A roll-up is taken out of the reach of those that add to it first.
        """
        if path.name.startswith("repeat-"):
            own = path.with_name(f"{item.id}.json")
            with self._locked():
                fresh = _read(path)
                if fresh is None:
                    yield None
                    return
                path.rename(own)
            path, item = own, fresh
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            if not try_lock(descriptor) or not _is_still(descriptor, path):
                yield None
                return
            yield Claim(self, path, item)
        finally:
            unlock(descriptor)
            os.close(descriptor)

    @property
    def lost(self) -> int:
        """How many messages were never written."""
        try:
            return int(orjson.loads((self.folder / "lost.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return 0

    def lose(self, count: int) -> None:
        """Count messages that were never written."""
        self._make()
        with self._locked():
            _replace(self.folder / "lost.json", orjson.dumps(self.lost + count))

    def write(self, path: Path, item: Item) -> None:
        """Put `item` at `path`, whole or not at all, readable by its owner alone."""
        _replace(path, item.encode())

    def _lose(self) -> bool:
        _replace(self.folder / "lost.json", orjson.dumps(self.lost + 1))
        return False

    def _full(self) -> bool:
        return len(_names(self.folder / "pending")) >= MAX_PENDING

    def _make(self) -> None:
        for folder in (self.folder, *(self.folder / state for state in ("pending", "sent", "failed"))):
            make_private(folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; others hold it for milliseconds. Goes on without it after a second."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            for _ in range(_LOCK_TRIES):
                if try_lock(descriptor):
                    break
                time.sleep(_LOCK_PAUSE)
            yield
        finally:
            unlock(descriptor)
            os.close(descriptor)


def _names(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith(".")]  # noqa: PTH208 -- names, no paths
    except FileNotFoundError:
        return []


def _read(path: Path) -> Item | None:
    try:
        return decode(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor, not a path
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        fresh.rename(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one at `path`: a settled one has gone, a rewritten one is another."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
