"""A baseline as a file: JSON, an entry a line, so that two branches that change it merge."""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import ScanError
from agentcop_scanner.history.baseline import Baseline, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_VERSION: Final = 1
_MAX_BYTES: Final = 64 * 1024 * 1024
_PERFECT: Final = 100


def read_baseline(file: Path) -> Baseline:
    """The baseline in `file`, its paths as seen from the working folder. Raises ScanError with what is wrong."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ScanError(f"{file}: over {_MAX_BYTES:,} bytes: no baseline is that large")
        data = json.loads(file.read_bytes())
    except OSError as error:
        hint = ": --update-baseline writes one" if isinstance(error, FileNotFoundError) else ""
        raise ScanError(f"{file}: cannot be read ({error.strerror}){hint}") from error
    except (ValueError, RecursionError) as error:
        raise ScanError(f"{file}: is no JSON: {error}") from error
    seen = _seen_from_here(file)
    try:
        _check_version(data["agentcop_baseline"])
        return Baseline(
            label=f"baseline {file}",
            known=tuple(replace(_known(entry), path=seen(entry["path"])) for entry in data["findings"]),
            scores={seen(path): _score(score) for path, score in data["scores"].items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        words = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ScanError(f"{file}: is no baseline: {words}") from error


def write_baseline(baseline: Baseline, file: Path) -> None:
    """Put `baseline` into `file`, whole or not at all; paths in it count from the file's folder. Raises OSError."""
    text = "".join(f"{line}\n" for line in _lines(baseline, _seen_from(file)))
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()


def _lines(baseline: Baseline, seen: Callable[[str], str]) -> Iterator[str]:
    entries = sorted(
        (
            {"path": seen(one.path), "rule": one.rule, "fingerprint": one.fingerprint, "since": one.since}
            for one in baseline.known
        ),
        key=lambda entry: (entry["path"], entry["rule"], entry["fingerprint"], entry["since"]),
    )
    yield f'{{"agentcop_baseline": {_VERSION},'
    yield '"scores": {'
    scores = sorted((seen(path), score) for path, score in baseline.scores.items())
    yield ",\n".join(f"{json.dumps(path)}: {score}" for path, score in scores) + "},"
    yield '"findings": ['
    yield ",\n".join(json.dumps(entry) for entry in entries) + "]}"


def _check_version(version: object) -> None:
    if version != _VERSION:
        raise ValueError(f"version {version!r}, and this build reads {_VERSION}")


def _known(entry: dict[str, object]) -> Known:
    texts = {name: entry[name] for name in ("rule", "path", "fingerprint", "since")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError(f"{entry!r}: rule, path, fingerprint and since are text")
    if texts["since"]:
        date.fromisoformat(str(texts["since"]))
    return Known(**texts)  # type: ignore[arg-type]  # each was just seen to be a str


def _score(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _PERFECT:
        raise ValueError(f"{value!r} is no score")
    return value


def _seen_from(file: Path) -> Callable[[str], str]:
    folder = file.absolute().parent
    return lambda path: Path(os.path.relpath(Path(path).absolute(), folder)).as_posix()


def _seen_from_here(file: Path) -> Callable[[str], str]:
    """From the baseline's spelling to the report's: relative to the working folder where the file is below it."""
    folder = file.parent.as_posix()
    return lambda path: path if posixpath.isabs(path) else posixpath.normpath(posixpath.join(folder, path))
