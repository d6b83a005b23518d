from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from agentcop import AgentCop, GatePolicy, ToolBlocked
from agentcop_processor.pipeline import close_pipelines, pipeline_for

if TYPE_CHECKING:
    from pathlib import Path


def test_closing_ends_every_thread_and_a_later_call_is_judged_and_recorded_all_the_same(agentcop_home: Path) -> None:
    before = set(threading.enumerate())
    cop = AgentCop(agent_id="billing", policy=GatePolicy(allow=["look"]))

    @cop.tool
    def look() -> str:
        return "seen"

    @cop.tool
    def wipe() -> str:
        pytest.fail("it ran")

    pipeline = pipeline_for(agentcop_home)
    lines = []
    for _ in range(2):
        assert look() == "seen"
        with pytest.raises(ToolBlocked):
            wipe()
        pipeline.close(10)
        assert set(threading.enumerate()) - before == set()
        lines.append(sum(len(path.read_bytes().splitlines()) for path in (agentcop_home / "spool").glob("*")))

    assert 0 < lines[0] < lines[1]
    close_pipelines(10)
    assert pipeline_for(agentcop_home) is not pipeline
