"""The scan of a few files when a program starts: remembered between starts, so that nothing is parsed again.

Only this module is loaded where nothing changed; rules and parser come in for a file that is new.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentcop_core.home import make_private
from agentcop_core.locks import IMPORTING
from agentcop_scanner.finding import Finding, Place, Step
from agentcop_scanner.report import FileResult, Reported

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

_VERSION = 1
_HERE = Path(__file__).parent
_MOST_RECENT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupResult:
    """What the files of one start came to."""

    files: tuple[FileResult, ...]
    notes: tuple[str, ...] = ()
    remembered: bool = False
    """Whether nothing had to be scanned."""


_recent: dict[str, StartupResult] = {}
"""What this process scanned: a second cop for the same files costs their hash."""


def startup_scan(files: Sequence[str], *, memory: Path, today: date) -> StartupResult:
    """Scan these files together, or recall what they came to when they, the scanner and the day were the same.

    `memory`: a folder of this user alone, made if it is missing; where it cannot be written nothing is remembered.
    Blocks while it scans, in this process; never raises for what is in a file.
    """
    paths = sorted(set(files))
    entry = memory / f"{hashlib.sha256(chr(0).join(paths).encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"
    key = _key(paths, today)
    recalled = _recent.get(key) or _recalled(entry, key)
    if recalled is not None:
        _recent[key] = recalled
        return recalled
    with IMPORTING:
        from agentcop_scanner.options import ScanOptions
        from agentcop_scanner.rules import all_rules
        from agentcop_scanner.scan import scan

        all_rules()  # it imports them

    report = scan([Path(path) for path in paths], ScanOptions(jobs=1, today=today))
    result = StartupResult(files=report.files, notes=report.notes)
    while len(_recent) >= _MOST_RECENT:
        _recent.pop(next(iter(_recent)), None)
    _recent[key] = replace(result, remembered=True)
    _remember(entry, key, result)
    return result


def forget() -> None:
    """What this process scanned is read from the folder again, or scanned again."""
    _recent.clear()


def _key(paths: Sequence[str], today: date) -> str:
    """Over the text of all files, the scanner's own files, and the day, on which suppressions end."""
    digest = hashlib.sha256(f"{_VERSION} {today} {_stamp()}".encode())
    for path in paths:
        digest.update(path.encode("utf-8", "surrogatepass") + b"\0")
        try:
            with open(path, "rb") as file:  # noqa: PTH123 -- pathlib's costs as much as the rest
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            digest.update(f"{error.errno}".encode())
    return digest.hexdigest()


@cache
def _stamp() -> str:
    """Names, sizes and times of the scanner's own files: another build remembers nothing of this one's."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(_HERE):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            state = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 -- as above
            digest.update(f"{folder} {name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _recalled(entry: Path, key: str) -> StartupResult | None:
    try:
        data = json.loads(entry.read_bytes())
        if data["key"] != key:
            return None
        files = tuple(_file(one) for one in data["files"])
        return StartupResult(files=files, notes=tuple(map(str, data["notes"])), remembered=True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # not there, or not ours: the files are scanned


def _remember(entry: Path, key: str, result: StartupResult) -> None:
    """Best effort: a scan that is not remembered is done again."""
    beside = entry.with_name(f".{entry.name}.{os.getpid()}")
    data = {"key": key, "files": [asdict(file) for file in result.files], "notes": result.notes}
    try:
        make_private(entry.parent)
        beside.write_text(json.dumps(data), encoding="utf-8", errors="surrogatepass")
        beside.replace(entry)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()


def _file(data: dict[str, Any]) -> FileResult:
    findings = tuple(Reported(**{**one, "finding": _finding(one["finding"])}) for one in data["findings"])
    return FileResult(**{**data, "findings": findings})


def _finding(data: dict[str, Any]) -> Finding:
    trace = tuple(Step(**{**step, "place": Place(**step["place"])}) for step in data["trace"])
    return Finding(**{**data, "place": Place(**data["place"]), "trace": trace})
