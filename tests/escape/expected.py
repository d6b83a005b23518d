"""What is particular to a probe: how its call may end, what its box is made with, and where it is never tried."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.escape.outcomes import Ended

OK: Final[frozenset[Ended]] = frozenset({"ok"})
_LATE: Final[frozenset[Ended]] = frozenset({"timeout"})
_ENDED: Final[frozenset[Ended]] = frozenset({"ok", "crashed"})
_LOST: Final[frozenset[Ended]] = frozenset({"crashed", "timeout"})
_ANSWERED: Final[frozenset[Ended]] = frozenset({"raised", "crashed", "unsendable", "unloadable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """Where a probe differs from most."""

    ends: frozenset[Ended] = OK
    """How its call may end; another end proves nothing."""
    timeout: float = 15.0
    """Of the policy, in seconds."""
    calls: int = 1
    """How often it is run in the same box."""
    beside: bool = False
    """Whether it is run twice at the same time, in two boxes."""
    network: str = "none"
    bare: str = ""
    """Why it is never run without a box; "" where it is."""


USUAL: Final = Special()
_TOO_LARGE: Final[frozenset[Ended]] = frozenset({"too_large", "crashed"})
"""A result longer than any frame ends the child instead."""
_NO_CALLER: Final = "there is no caller without a box"
_NO_DEADLINE: Final = "there is no deadline without a box"
_NO_SUPERVISOR: Final = "there is no supervisor without a box"
_NO_PROXY: Final = "there is no proxy without a box"
_PROXY: Final = Special(network="public", timeout=120.0, bare=_NO_PROXY)
_DEADLINE: Final = Special(ends=_LATE, timeout=2.0)

SPECIALS: Final[Mapping[str, Special]] = MappingProxyType(
    {
        "resources.busy_for_ever": Special(ends=_LATE, timeout=2.0, bare=_NO_DEADLINE),
        "resources.endless_result": Special(ends=_TOO_LARGE, bare=_NO_CALLER),
        "resources.flooded_result": Special(ends=_TOO_LARGE, bare=_NO_CALLER),
        "resources.flooded_stdout": Special(timeout=60.0, bare=_NO_CALLER),
        "resources.flooded_stderr": Special(timeout=60.0, bare=_NO_CALLER),
        "resources.memory_bomb": Special(ends=_ENDED, timeout=30.0),
        "resources.memory_by_many": Special(ends=_ENDED, timeout=30.0),
        "resources.memory_in_files": Special(ends=_ENDED, timeout=30.0),
        "resources.locked_memory": Special(ends=_ENDED),
        "kernel.clock": Special(bare="it would set the machine's clock, by microseconds"),
        "network.sent_file_handles": Special(network="public"),
        "processes.box_beside": Special(beside=True),
        "processes.everything_killed": Special(bare="it would kill every process of the machine"),
        "processes.keeps_forking": Special(bare="its processes could not be ended one by one"),
        "processes.outlives_the_deadline": _DEADLINE,
        "processes.stops_itself": Special(ends=_LATE, timeout=2.0, bare=_NO_DEADLINE),
        "supervisor.closes_everything": Special(ends=_LOST, timeout=3.0, bare=_NO_SUPERVISOR),
        "supervisor.ended": Special(ends=OK, bare=_NO_SUPERVISOR),
        "supervisor.endless_answer": Special(ends=frozenset({"too_large"}), bare=_NO_SUPERVISOR),
        "supervisor.files": Special(bare=_NO_SUPERVISOR),
        "supervisor.forged_answer": Special(calls=2, bare=_NO_SUPERVISOR),
        "supervisor.forged_for_the_next_call": Special(calls=2, bare=_NO_SUPERVISOR),
        "supervisor.half_an_answer": Special(ends=_LATE, timeout=2.0, bare=_NO_SUPERVISOR),
        "supervisor.holds_the_pipe": Special(ends=_LOST, timeout=3.0, bare=_NO_SUPERVISOR),
        "supervisor.left_for_the_next_call": Special(calls=2, bare=_NO_SUPERVISOR),
        "supervisor.limits_of_pid_1": Special(bare="it would change the machine's first process"),
        "supervisor.memory": Special(bare=_NO_SUPERVISOR),
        "supervisor.stopped_at_the_deadline": Special(ends=_LATE, timeout=2.0, bare=_NO_SUPERVISOR),
        "supervisor.too_deep_to_wipe": Special(calls=2, bare=_NO_SUPERVISOR),
        "supervisor.traced": Special(bare="it would stop the machine's first process"),
        "supervisor.wiped_through_a_link": Special(calls=2, bare=_NO_SUPERVISOR),
    }
)
"""By `theme.name`, where it is not as usual."""


def special(probe: str) -> Special:
    """What is particular to this probe."""
    theme = probe.partition(".")[0]
    if theme == "results":
        return Special(ends=_ANSWERED, timeout=10.0, bare=_NO_CALLER)
    return SPECIALS.get(probe, _PROXY if theme == "egress" else USUAL)


DOCUMENTED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "process": MappingProxyType(
            {
                "resources.memory_by_many": "without a container the memory of all processes together is looked at "
                "some times a second, and the tool ended: a peak between two looks may be higher",
            }
        ),
    }
)
"""What may get out, by engine and probe, with the reason. Containers: nothing."""
