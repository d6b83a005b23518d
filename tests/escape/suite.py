"""Which probes there are, and how one is run and judged."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.escape import trap
from tests.escape.expected import DOCUMENTED, special
from tests.escape.outcomes import Verdict
from tests.escape.scene import kill_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.escape.expected import Special
    from tests.escape.outcomes import Outcome
    from tests.escape.places import Call, Place
    from tests.escape.scene import Scene

THEMES: Final = ("resources", "filesystem", "network", "egress", "kernel", "processes", "supervisor", "results")
_MEMORY: Final = 96 << 10
"""KiB that the host's memory may grow by in one call: a megabyte of result takes some as Python's objects."""
_LATE: Final = 15.0
"""Seconds past the deadline by which a call is over on any machine."""
_FILES: Final = 32
"""Open files more than before, such as an engine's client keeps."""
_OUTPUTS: Final = 2 * 65_536
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that is tried."""

    theme: str
    name: str
    claim: str
    takes: tuple[str, ...]
    """The names of what it needs of the host."""

    @property
    def id(self) -> str:
        """`theme.name`."""
        return f"{self.theme}.{self.name}"


def probes() -> tuple[Probe, ...]:
    """All of them, as the files of `probes` have them."""
    return tuple(_discovered())


def _discovered() -> Iterator[Probe]:
    for theme in THEMES:
        module = importlib.import_module(f"{__package__}.probes.{theme}")
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                yield Probe(
                    theme=theme,
                    name=name,
                    claim=(value.__doc__ or "").partition("\n")[0],
                    takes=tuple(inspect.signature(value).parameters)[1:],
                )


def bare_probes() -> tuple[Probe, ...]:
    """Those that can be run without a box."""
    return tuple(each for each in probes() if not special(each.id).bare)


def tried(probe: Probe, place: Place, scene: Scene) -> Verdict:
    """Run it there, and look at what came of it. Blocks. Never raises: what could not be run is `broken`."""
    token = f"escape-{secrets.token_hex(12)}"
    given = scene.given(token)
    particular = special(probe.id)
    trap.sprung.clear()
    before, files = _peak_from_now(), _open_files()
    call = (probe.theme, probe.name, {name: given[name] for name in probe.takes})
    failed = ""
    outcomes: list[Outcome] = []
    try:
        outcomes = (
            _twice(place, call, particular, scene) if particular.beside else place.run(call, particular, scene.folder)
        )
    except Exception as error:
        failed = f"{type(error).__name__}: {error}"  # it is told in the table, and counts as not contained
    grown = _peak() - before
    escapes = [each for outcome in outcomes for each in _got_out(outcome, particular, scene.secret)]
    escapes += scene.damage(token)
    kill_leftovers(token)
    if trap.sprung:
        escapes.append("the host ran code that the box had named")
    if grown > _MEMORY:
        escapes.append(f"the host's memory grew by {grown >> 10} MiB")
    if (more := _open_files() - files) > _FILES:
        escapes.append(f"the host holds {more} more open files")
    return Verdict(
        probe=probe.id,
        claim=probe.claim,
        escapes=tuple(dict.fromkeys(escapes)),
        broken=failed or next((why for each in outcomes if (why := _broken(each, particular))), ""),
        documented=DOCUMENTED.get(place.name, {}).get(probe.id, ""),
        ended=", ".join(each.ended for each in outcomes),
        refused=tuple(each for outcome in outcomes for each in (*outcome.refused, outcome.said) if each),
        seconds=sum(each.seconds for each in outcomes),
    )


def _once(place: Place, call: Call, particular: Special, scene: Scene) -> list[Outcome]:
    return place.run(call, particular, scene.folder)


def _twice(place: Place, call: Call, particular: Special, scene: Scene) -> list[Outcome]:
    """The same at the same time in two boxes."""
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(place.run, call, particular, scene.folder) for _ in range(2)]
        return [outcome for each in runs for outcome in each.result()]


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _got_out(outcome: Outcome, particular: Special, secret: str) -> Iterator[str]:
    yield from outcome.achieved
    for each in outcome.seen:
        if secret in each:
            yield f"read the host's secret: {each.partition(': ')[0]}"
    if outcome.ended == "out":
        yield f"the caller got {outcome.said}"
    if outcome.kept > _OUTPUTS:
        yield f"the host was given {outcome.kept} bytes of output"
    if outcome.seconds > particular.timeout + _LATE:
        yield f"it took {outcome.seconds:.0f} s where {particular.timeout:g} are allowed"
    if outcome.ended not in {"ok", "raised"} and not all(map(str.isprintable, outcome.said)):
        yield f"the caller is told control characters: {outcome.said[:_SHOWN]!r}"


def _broken(outcome: Outcome, particular: Special) -> str:
    if outcome.ended == "out":
        return ""  # judged as an escape
    if outcome.ended not in particular.ends:
        return f"it ended as {outcome.ended}: {outcome.said[:_SHOWN]}"
    if outcome.ended == "ok" and not (outcome.achieved or outcome.refused or outcome.seen):
        return "it noted nothing"
    return ""


def _peak_from_now() -> int:
    """The process's memory in KiB; its highest is counted anew from here."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)
