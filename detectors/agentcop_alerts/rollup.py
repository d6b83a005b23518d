"""How often somebody is told: first at once, then one message a window, with a count.

Pure: the time comes in. Folded are
- the same rule, agent and tool: one window; a rise in severity breaks through;
- one rule on five or more agents within ten minutes: one alert that names them;
- more than thirty different alerts of one window: one alert for each agent and rule.

What is known here is one process. Alerts of several processes meet in the detector.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from agentcop_alerts.item import NOTHING, Enclosed
from agentcop_core.alert import Alert, fingerprint, rank

WINDOW: Final = 300.0
"""Seconds between two messages about the same thing."""

_FLEET: Final = 5
_FLEET_SECONDS: Final = 600.0
_FLEET_NAMED: Final = 20
_FLEET_KNOWN: Final = 1_000
_NEWS: Final = 30
_REFS: Final = 10_000
_WINDOWS: Final = 1_000

_Route = TypeVar("_Route")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Generic[_Route]):
    """One message to send: an alert, and how much it stands for."""

    alert: Alert
    """The latest of those it stands for."""
    route: _Route
    """To whom."""
    thread: str
    """16 hex digits, the same for all notices about the same thing."""
    count: int = 1
    """How many alerts it stands for."""
    repeat: bool = False
    """Whether a notice about the same thing went before."""
    since: float = 0.0
    """When the first of them happened."""
    not_before: float = 0.0
    """When its window ends: it may go out then."""
    note: str = ""
    """What was folded into it besides: other agents, other tools."""
    enclosed: Enclosed = NOTHING
    """Of the latest; its `refs` are of all it stands for."""


@dataclass(slots=True)
class _Window(Generic[_Route]):
    ends: float
    alert: Alert
    route: _Route
    note: str = ""
    enclosed: Enclosed = NOTHING
    refs: list[str] = field(default_factory=list)
    """Of those that were counted since the last notice."""
    count: int = 0
    since: float = 0.0


class RollUp(Generic[_Route]):
    """Folds alerts into notices. Belongs to one thread; its memory is bounded."""

    def __init__(self) -> None:
        """Nothing is known at first; see `seed`."""
        self._windows: dict[str, _Window[_Route]] = {}
        self._agents: dict[tuple[str, str, str], dict[str, float]] = {}
        self.uncounted: list[str] = []
        """Refs over ten thousand in one window: counted in its message, and not named there. The owner clears it."""
        self._news: list[float] = []

    def seed(self, notice: Notice[_Route], sent: float) -> None:
        """`notice` went out at `sent`, in the life of an earlier process."""
        self._windows.setdefault(
            notice.thread, _Window(ends=sent + WINDOW, alert=notice.alert, route=notice.route, note=notice.note)
        )

    def expect(self, alert: Alert, now: float, group: str = "") -> None:
        """`alert` came together with others and will be added in a moment: what hits many agents at once is then one.

        `group`: those who hear of it; only agents of one group are told of together.
        """
        self._fired(alert, now, group)

    def add(
        self, alert: Alert, route: _Route, now: float, *, enclosed: Enclosed = NOTHING, group: str = ""
    ) -> list[Notice[_Route]]:
        """What must be sent at once because of `alert`: its notice, or nothing. `group`: as for `expect`."""
        note, thread = self._folded(alert, now, group)
        window = self._windows.get(thread)
        ready: list[Notice[_Route]] = []
        if window is not None and now >= window.ends:
            ready = self._flush(thread, window, now)
            window = self._windows.get(thread)
        if window is not None and rank(alert.severity) <= rank(window.alert.severity):
            window.since = window.since or alert.time
            window.count += 1
            window.alert, window.route, window.note = alert, route, note
            window.enclosed = replace(enclosed, run="")  # a window is held for minutes: the file went with the first
            room = max(0, _REFS - len(window.refs))
            window.refs += enclosed.refs[:room]
            self.uncounted += enclosed.refs[room:]
            return ready
        if len(self._windows) >= _WINDOWS:
            oldest = min(self._windows, key=lambda each: self._windows[each].ends)
            ready += self._flush(oldest, self._windows[oldest], now)
            self._windows.pop(oldest, None)
        missed = window.count if window is not None else 0
        since = window.since if window is not None and window.since else alert.time
        earlier = tuple(window.refs) if window is not None else ()
        self._windows[thread] = _Window(ends=now + WINDOW, alert=alert, route=route, note=note)
        self._news.append(now)
        notice = Notice(
            alert=alert,
            route=route,
            thread=thread,
            count=missed + 1,
            repeat=window is not None,
            since=since,
            note=note,
            enclosed=replace(enclosed, refs=(*earlier, *enclosed.refs)),
        )
        return [*ready, notice]

    def due(self, now: float) -> list[Notice[_Route]]:
        """The roll-ups whose window has ended. A window in which nothing happened is forgotten."""
        ended = [(thread, window) for thread, window in self._windows.items() if now >= window.ends]
        return [notice for thread, window in ended for notice in self._flush(thread, window, now)]

    def next_due(self) -> float | None:
        """When `due` has something to do; None if nothing waits."""
        return min((window.ends for window in self._windows.values()), default=None)

    def close(self) -> list[Notice[_Route]]:
        """What was counted and not sent yet, each with the end of its window; nothing is known afterwards."""
        left = [_notice(thread, window) for thread, window in self._windows.items() if window.count]
        self._windows.clear()
        return left

    def _flush(self, thread: str, window: _Window[_Route], now: float) -> list[Notice[_Route]]:
        if not window.count:
            del self._windows[thread]
            return []
        notice = replace(_notice(thread, window), not_before=0.0)
        window.ends, window.count, window.since, window.refs = now + WINDOW, 0, 0.0, []
        return [notice]

    def _fired(self, alert: Alert, now: float, group: str) -> dict[str, float]:
        """The agents of the group on which the rule of `alert` fired within ten minutes, this one among them."""
        agents = self._agents.setdefault((alert.rule, alert.at, group), {})
        agents.pop(alert.agent_id, None)
        agents[alert.agent_id] = now
        while len(agents) > _FLEET_KNOWN or now - next(iter(agents.values())) > _FLEET_SECONDS:
            del agents[next(iter(agents))]
        while len(self._agents) > _WINDOWS:
            del self._agents[next(iter(self._agents))]
        return agents

    def _folded(self, alert: Alert, now: float, group: str) -> tuple[str, str]:
        """What else `alert` stands for, and the thread it belongs to."""
        if alert.kind == "digest":
            return "", fingerprint("digest", alert.agent_id, alert.call_id)
        agents = self._fired(alert, now, group)
        if len(agents) >= _FLEET:
            names = sorted(agents)
            more = f" … +{len(names) - _FLEET_NAMED}" if len(names) > _FLEET_NAMED else ""
            note = f"this rule fired on {len(names)} agents within ten minutes: {', '.join(names[:_FLEET_NAMED])}{more}"
            return note, fingerprint("fleet", alert.rule, alert.at, *([group] if group else ()))
        self._news = [when for when in self._news if now - when < WINDOW]
        if len(self._news) >= _NEWS and alert.fingerprint not in self._windows:
            note = f"over {_NEWS} different alerts within five minutes: further ones of this rule are counted together"
            return note, fingerprint("storm", alert.rule, alert.agent_id)
        return "", alert.fingerprint


def _notice(thread: str, window: _Window[_Route]) -> Notice[_Route]:
    return Notice(
        alert=window.alert,
        route=window.route,
        thread=thread,
        count=window.count,
        repeat=True,
        since=window.since,
        not_before=window.ends,
        note=window.note,
        enclosed=replace(window.enclosed, refs=tuple(window.refs)),
    )
