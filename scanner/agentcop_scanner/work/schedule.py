"""Which files are scanned anew, and by whom: known results are taken, the rest is done here or in other processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from agentcop_scanner.rules import version
from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.disk.reading import read_bytes
from agentcop_scanner.work.cache import Cache
from agentcop_scanner.work.closure import digests, edges, imports
from agentcop_scanner.work.names import Names
from agentcop_scanner.work.pool import Pool
from agentcop_scanner.work.tree import Tree, without_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentcop_scanner.analysis import Analysis
    from agentcop_scanner.options import ScanOptions
    from agentcop_scanner.source.disk.discovery import FoundFile

_WORTH_A_PROCESS = 400_000
"""Bytes of source: starting a process for less takes longer than the scan."""
_MAX_JOBS = 16


def analysed(files: Sequence[FoundFile], options: ScanOptions) -> tuple[list[Analysis], list[str]]:
    """What is in each file, in their order, and notes on the scan itself."""
    found: dict[int, Analysis] = {}
    notes: list[str] = []

    def done(at: int, analysis: Analysis) -> None:
        found[at] = analysis
        if options.progress is not None:
            options.progress(len(found), len(files))

    with _cache(options) as cache:
        keys = _keys(files) if cache is not None else {}
        for at, file in enumerate(files):
            known = cache.get(keys[file.path]) if cache is not None and file.path in keys else None
            if known is not None:
                done(at, known)
        missing = [at for at in range(len(files)) if at not in found]
        _scan(files, missing, options, done)
        if cache is not None:
            _remember(cache, files, missing, found, keys)
    if cache is not None and cache.problem:
        notes.append(cache.problem)
    return [found[at] for at in range(len(files))], notes


@contextlib.contextmanager
def _cache(options: ScanOptions) -> Iterator[Cache | None]:
    if options.cache is None:
        yield None
        return
    with Cache(options.cache) as cache:
        yield cache


def _keys(files: Sequence[FoundFile]) -> dict[str, str]:
    """Per path, what its result is remembered under: the scanner, the file, and all that it imports."""
    names = Names(files)
    shas: dict[str, str] = {}
    imported: dict[str, frozenset[str]] = {}
    for file in files:
        try:
            raw = read_bytes(file.real, file.kind)
        except UnreadError:
            continue  # not remembered: it may be readable next time
        shas[file.path] = hashlib.sha256(raw).hexdigest()
        if file.kind == "python":
            name = names.by_path[file.path]
            package = name if file.path.endswith("__init__.py") else name.rpartition(".")[0]
            imported[file.path] = imports(raw, package)
    named = {path: f"{names.by_path.get(path, '')}\0{sha}" for path, sha in shas.items()}
    graph = edges(imported, names)
    return {path: f"{version()}:{digest}" for path, digest in digests(named, graph).items()}


def _scan(
    files: Sequence[FoundFile], missing: list[int], options: ScanOptions, done: Callable[[int, Analysis], None]
) -> None:
    jobs = _jobs(files, missing, options)
    if jobs > 1:
        Pool(files, jobs).run(missing, done)
        return
    if not missing:
        return
    with without_collection():
        tree = Tree(files)
        for at in missing:
            done(at, tree.analyse(files[at]))
        tree.forget()


def _jobs(files: Sequence[FoundFile], missing: list[int], options: ScanOptions) -> int:
    if options.jobs:
        return min(options.jobs, _MAX_JOBS)
    work = sum(files[at].size for at in missing) // _WORTH_A_PROCESS
    return max(1, min(os.cpu_count() or 1, work, _MAX_JOBS))


def _remember(
    cache: Cache, files: Sequence[FoundFile], missing: list[int], found: dict[int, Analysis], keys: dict[str, str]
) -> None:
    """Puts the new results into the cache, unless a file has changed meanwhile: then nobody knows what was scanned."""
    if not missing:
        return
    now = _keys(files)
    for at in missing:
        path = files[at].path
        if path in keys and keys[path] == now.get(path) and found[at].unscored != "failed":
            cache.put(keys[path], found[at])
