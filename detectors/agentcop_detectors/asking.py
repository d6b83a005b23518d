"""Asks the checks about runs, with what each remembers of the run's agent."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import whose
from agentcop_detectors.checks.coverage import coverage
from agentcop_detectors.store.text import NAME, bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_detectors.checks._interface import Anomaly, Check, State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step
    from agentcop_detectors.store.writer import Store

_log = logging.getLogger("agentcop")

AGENTS_HELD: Final = 20_000
"""Agents whose state stays in memory; that of others is read again when they are heard of."""
_LOGGED: Final = 10


class Asking:
    """The checks, the agents' states, and what was found since the last commit. One thread."""

    def __init__(self, checks: Sequence[Check], store: Store, held: int = AGENTS_HELD) -> None:
        """Asks nothing. `held`: agents whose state stays in memory."""
        self._checks = tuple(checks)
        self._store = store
        self._held = held
        self._states: OrderedDict[str, dict[str, State]] = OrderedDict()
        self._dirty: dict[str, None] = {}
        self.found: list[tuple[Anomaly, Run]] = []
        self.faults = 0
        """How often a check failed; it is asked again at the next run."""

    def __len__(self) -> int:
        """Agents whose state is in memory."""
        return len(self._states)

    def fetch(self, agents: Iterable[str]) -> None:
        """Read the states of some agents at once. Blocks; raises SQLAlchemyError."""
        missing = [agent for agent in {bounded(agent, NAME) for agent in agents} if agent not in self._states]
        if missing:
            found = self._store.states_of(missing)
            for agent in missing:
                self._states[agent] = found.get(agent, {})

    def on_steps(self, run: Run, new: Sequence[Step]) -> None:
        """What new steps show. Raises SQLAlchemyError."""
        agent, states = self._state(run)
        for check in self._checks:
            try:
                self.found += [
                    (anomaly, run) for anomaly in check.on_steps(run, new, states.setdefault(check.name, {}))
                ]
            except Exception:
                self._failed(check, agent)

    def on_look(self, run: Run) -> None:
        """What a run shows as a whole; its unjudged calls are counted. Raises SQLAlchemyError."""
        run.unenforced = run.shed_unenforced + sum(bad for _, bad in coverage(run).values())
        agent, states = self._state(run)
        for check in self._checks:
            try:
                state = states.setdefault(check.name, {})
                self.found += [(anomaly, run) for anomaly in check.on_look(run, state)]
            except Exception:
                self._failed(check, agent)

    def changed(self) -> dict[str, dict[str, State]]:
        """The states that may have changed since the last commit."""
        return {agent: self._states[agent] for agent in self._dirty}

    def committed(self) -> None:
        """All that was found and changed is in the database."""
        self.found = []
        self._dirty.clear()
        while len(self._states) > self._held:
            self._states.popitem(last=False)

    def forget(self, agent: str) -> None:
        """Let go of what is remembered of an agent, as if it had never been."""
        self._states.pop(agent, None)
        self._dirty.pop(agent, None)
        self.found = [(anomaly, run) for anomaly, run in self.found if bounded(anomaly.agent_id, NAME) != agent]

    def _state(self, run: Run) -> tuple[str, dict[str, State]]:
        agent = bounded(whose(run), NAME)
        if agent not in self._states:
            self.fetch((agent,))
        self._states.move_to_end(agent)
        self._dirty[agent] = None
        return agent, self._states[agent]

    def _failed(self, check: Check, agent: str) -> None:
        self.faults += 1
        if self.faults <= _LOGGED:
            more = "; further faults are only counted" if self.faults == _LOGGED else ""
            _log.exception("agentcop: the check %s failed at a run of %s%s", check.name, agent, more)
