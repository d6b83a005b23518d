"""One message for one channel, as it lies in the spool."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Final, Literal

import orjson

from agentcop_core.alert import Alert

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["pending", "sent", "failed"]
"""`pending`: not delivered yet. `sent`: its channel took it. `failed`: given up, and why stands in `reason`."""

FORMAT: Final = 1
_SHAPES: Final[dict[str, type | tuple[type, ...]]] = {
    "Alert": dict,
    "bool": bool,
    "float": (float, int),
    "int": int,
    "tuple[str, ...]": list,
}
"""What a field's annotation is in JSON; everything else is a string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """What comes with an alert besides its words. All redacted."""

    timeline: tuple[str, ...] = ()
    """The run, a line a step."""
    run: str = ""
    """The run as JSON."""
    refs: tuple[str, ...] = ()
    """Rows that the alert stands for; what becomes of the message is said with them."""


NOTHING: Final = Enclosed()
"""An alert that comes alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A notice on its way to one channel. Redacted; names its channel without holding the channel's secrets."""

    id: str
    """Names the message; the same at each attempt."""
    alert: Alert
    thread: str
    """16 hex digits, the same for all messages about the same thing."""
    channel: str
    """The key of its channel."""
    channel_name: str
    """Its channel for people."""
    trace_link: str = ""
    """The policy's link to a trace, unexpanded."""
    page_link: str = ""
    """To the detector's own page of the run, as those below."""
    dashboard_link: str = ""
    runbook_link: str = ""
    count: int = 1
    repeat: bool = False
    since: float = 0.0
    note: str = ""
    timeline: tuple[str, ...] = ()
    """The run, a line a step."""
    run: str = ""
    """The run as JSON, for channels that take a file; "" once the message is settled."""
    refs: tuple[str, ...] = ()
    """What it stands for in the database of whoever handed it in: see `Enclosed`."""
    created: float = 0.0
    not_before: float = 0.0
    """It is not tried before then."""
    attempts: int = 0
    reason: str = ""
    """Why the last attempt failed."""
    settled: float = 0.0
    """When it was sent or given up; 0 while it is pending."""
    acknowledged: float = 0.0
    """When a person took it on; 0 if nobody did."""
    acknowledged_by: str = ""

    def encode(self) -> bytes:
        """One line of JSON."""
        return orjson.dumps({"v": FORMAT, **asdict(self)}, option=orjson.OPT_APPEND_NEWLINE)


def decode(data: bytes) -> Item:
    """The item of `encode`; keys that a later version added are left out. Raises ValueError for anything else."""
    given = orjson.loads(data)
    try:
        if given["v"] != FORMAT:
            raise ValueError(f"format {given['v']}")
        alert = _known(Alert, given["alert"])
        fields_of_item = _known(Item, given)
        for found in (alert, fields_of_item):
            found.update({name: tuple(map(str, each)) for name, each in found.items() if isinstance(each, list)})
        return Item(**{**fields_of_item, "alert": Alert(**alert)})  # type: ignore[arg-type]  # as encoded
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an alert of ours: {error!r}") from error


def _known(kind: type[Alert | Item], given: Mapping[str, object]) -> dict[str, object]:
    known = {field.name: str(field.type) for field in fields(kind)}
    found = {name: value for name, value in given.items() if name in known}
    for name, value in found.items():
        if not isinstance(value, _SHAPES.get(known[name], str)) or (isinstance(value, bool) and known[name] != "bool"):
            raise ValueError(f"{name} is {value!r}")
    return found
