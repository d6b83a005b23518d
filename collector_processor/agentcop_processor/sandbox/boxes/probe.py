"""Whether a box is what was asked for: what it says of itself before any tool code runs, held against what must be so.

Fail closed: a fact that is not told, or is of another kind, is a miss; and what `ALWAYS` says holds for every engine,
whatever it expects itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALWAYS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "pid": 1,
        "uid": 65534,
        "gid": 65534,
        "cap_eff": "0",
        "no_new_privs": 1,
        "seccomp": 2,
        "interfaces": ["lo"],
        "root_writable": False,
        "dumpable": 0,
    }
)
"""Without these there is no box."""
_AT_MOST: Final = frozenset({"memory", "pids"})
_AT_LEAST: Final = frozenset({"landlock"})
_KIB: Final = 1024
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One fact."""

    name: str
    """As the supervisor calls it; see `inside`."""
    label: str
    """For a person."""
    asked: str
    found: str
    """What the box says, at most 200 characters. Hostile: escape it before it is shown."""
    miss: str
    """Why this is not enough; "" where it is."""


def readings(facts: Mapping[str, object], expected: Mapping[str, object]) -> tuple[Reading, ...]:
    """Every fact that must be so, in a steady order, with what the box says. Never raises."""
    wanted = {**ALWAYS, **expected, **ALWAYS}
    return tuple(_read(name, _plain(value), facts) for name, value in wanted.items())


def misses(facts: Mapping[str, object], expected: Mapping[str, object]) -> tuple[str, ...]:
    """What is not as it must be, a sentence each; none: the box holds. `facts` are its own words. Never raises."""
    return tuple(each.miss for each in readings(facts, expected) if each.miss)


def _read(name: str, asked: object, facts: Mapping[str, object]) -> Reading:
    label, show, why = _MEANING.get(name, (name, str, ""))
    told = name in facts
    value = facts.get(name)
    miss = ""
    if not told:
        miss = f"{label}: {show(asked)} was asked for, the box does not say"
    elif type(asked) is not type(value) and value is not None:
        miss = f"{label}: {show(asked)} was asked for, the box says what is no answer: {_shown(repr, value)}"
    elif not _enough(name, asked, value):
        note = f" ({why})" if why else ""
        miss = f"{label}: {show(asked)} was asked for, the box has {_shown(show, value)}{note}"
    return Reading(
        name=name, label=label, asked=show(asked), found=_shown(show, value) if told else "not told", miss=miss
    )


def _plain(asked: object) -> object:
    """As JSON gives it back."""
    return list(asked) if isinstance(asked, tuple) else asked


def _enough(name: str, asked: object, value: object) -> bool:
    if type(asked) is not type(value):
        return False
    if isinstance(asked, int) and isinstance(value, int) and not isinstance(asked, bool):
        if name in _AT_MOST:
            return 0 < value <= asked
        if name in _AT_LEAST:
            return value >= asked
    return asked == value


def _shown(show: Callable[[object], str], value: object) -> str:
    text = show(value) if value is not None else "none"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _size(value: object) -> str:
    """256 MiB, or the bytes where they are no round number of anything."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return str(value)
    number, unit = value, "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number % _KIB:
            break
        number, unit = number // _KIB, larger
    return f"{number} {unit}"


def _names(value: object) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _capabilities(value: object) -> str:
    return "none" if value == "0" else str(value)


def _one_of(*words: str) -> Callable[[object], str]:
    """What a small number, or a bool, means."""

    def show(value: object) -> str:
        known = isinstance(value, int) and 0 <= value < len(words)
        return words[int(value)] if known and isinstance(value, int) else str(value)

    return show


_IGNORES: Final = "rootless Podman on cgroup v1 ignores limits"
_TUNNELS: Final = "sit0 and its like: set the kernel's net.core.fb_tunnels_only_for_init_net to 1"
_MEANING: Final[Mapping[str, tuple[str, Callable[[object], str], str]]] = MappingProxyType(
    {
        "pid": ("process id", str, "the box shares its processes with others"),
        "uid": ("user id", str, ""),
        "gid": ("group id", str, ""),
        "cap_eff": ("capabilities", _capabilities, ""),
        "no_new_privs": ("new privileges", _one_of("possible", "impossible"), ""),
        "seccomp": ("system call filter", _one_of("none", "strict", "on"), "the engine or its kernel has no seccomp"),
        "interfaces": ("network interfaces", _names, _TUNNELS),
        "root_writable": ("root file system", _one_of("read-only", "writable"), ""),
        "memory": ("memory limit", _size, _IGNORES),
        "pids": ("process limit", str, _IGNORES),
        "dumpable": ("supervisor's memory", _one_of("closed", "open to the tool"), ""),
        "landlock": ("landlock version", str, "the kernel has none: it is older than 5.13, or does not switch it on"),
        "python": ("Python", str, "the image's Python is another"),
        "relay": ("way to the egress proxy", _one_of("none", "open"), ""),
        "image": ("image", str, "somebody else's image has its name"),
    }
)
"""A fact's label, how its value is shown, and what a miss most often means."""
