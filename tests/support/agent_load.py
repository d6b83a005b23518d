"""A seeded stream of what a dozen agents send: late, twice, out of order, refused, unjudged, without end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from agent_spans import SECOND, START, a_frame, a_step
from agentcop_detectors.store.tables import AGENTS, ALERTS, RUNS, VERDICTS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.step import Step

_AGENTS = 12
_TOOLS = ("search", "read", "write", "send", "pay")


def load(seed: int, runs: int) -> list[Frame]:
    """The frames in the order of their arrival, by a clock that begins at START and passes about five seconds a run."""
    dice = random.Random(seed)  # noqa: S311 -- the same load every time
    sent: list[tuple[int, int, Step]] = []
    lines: dict[str, int] = {}
    for number in range(runs):
        steps = _run(dice, number, START + number * 5 * SECOND, lines)
        for step in steps:
            delay = int(dice.expovariate(2) * SECOND)
            if dice.random() < 0.03:
                delay += dice.randrange(30, 1_200) * SECOND
            sent.append((step.end + delay, dice.getrandbits(32), step))
            if dice.random() < 0.05:
                sent.append((step.end + delay + dice.randrange(0, 200 * SECOND), dice.getrandbits(32), step))
    endless = dice.randbytes(16)
    for number in range(runs // 4):
        start = START + number * 20 * SECOND
        step = a_step(
            trace_id=endless, span_id=dice.randbytes(8), parent_id=b"parent__", start=start, agent_id="endless"
        )
        sent.append((step.end, 0, step))
    sent.sort(key=lambda each: each[:2])
    frames: list[Frame] = []
    while sent:
        count = dice.randint(1, 20)
        part, sent = sent[:count], sent[count:]
        frames.append(a_frame([step for _, _, step in part], part[-1][0], json=dice.random() < 0.2))
    return frames


def _run(dice: random.Random, number: int, start: int, lines: dict[str, int]) -> list[Step]:
    agent = f"agent-{number % _AGENTS}"
    trace, root = dice.randbytes(16), dice.randbytes(8)
    common: dict[str, Any] = {"trace_id": trace, "agent_id": agent, "scope": "agentcop", "session_id": f"s{number}"}
    stormy, loose = dice.random() < 0.08, number > 150 and agent == "agent-3"
    steps = []
    at = start
    for _ in range(dice.randint(2, 9)):
        tool = dice.choice(_TOOLS) if dice.random() < 0.95 else f"tool-{dice.randrange(40)}"
        lines[agent] = line = lines.get(agent, 0) + 1
        verdict = "block" if stormy or dice.random() < 0.08 else "require_approval" if dice.random() < 0.1 else "allow"
        judged: dict[str, Any] = {
            "verdict": verdict,
            "rule": "gate.allow[0]",
            "mode": "observe" if loose else "",
            "alert": "agent" if dice.random() < 0.5 else "",
            "policy_digest": "d" * 64,
            "log_head": f"w-{agent}:{line}:{dice.getrandbits(64):016x}",
        }
        if dice.random() < 0.03:
            judged = {"scope": f"other-{dice.randrange(3)}"}
        took = dice.randrange(SECOND // 10, 2 * SECOND)
        step = a_step(span_id=dice.randbytes(8), parent_id=root, name=tool, start=at, end=at + took, **common | judged)
        steps.append(step)
        at += took
        if dice.random() < 0.3:
            model = a_step(
                span_id=dice.randbytes(8),
                parent_id=root,
                kind="model",
                name="chat",
                start=at,
                input_tokens=100,
                **common,
            )
            steps.append(model)
    if dice.random() < 0.9:  # some never say that they ended
        steps.append(a_step(span_id=root, kind="agent", name=agent, start=start, end=at, **common))
    return steps


def made(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the scorer made, in an order of its own; without the rows' ids and when they were written."""
    alerts = [column for column in ALERTS.c if column.name not in {"id", "raised", "told", "told_at", "evidence"}]
    with engine.connect() as connection:
        return {
            "runs": sorted(map(tuple, connection.execute(select(RUNS)))),
            "verdicts": sorted(map(tuple, connection.execute(select(VERDICTS)))),
            "alerts": sorted(map(tuple, connection.execute(select(*alerts)))),
            "agents": sorted(map(tuple, connection.execute(select(AGENTS.c.agent_id, AGENTS.c.state)))),
        }
