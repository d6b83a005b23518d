"""The guide's full example as it is printed: langchain 0.3, and the search tool in a container of this environment."""

from __future__ import annotations

import os
from typing import Any

import pytest

from boxes import nothing_is_left, use
from guide_example import example, run, serve
from openai_server import Reply, say

__all__ = ["nothing_is_left", "serve"]

pytestmark = pytest.mark.sandbox

ASKS = say("Thought: I need a tool.\nAction: duckduckgo_search\nAction Input: agents\nObservation: made up")
DONE: Reply = say("Thought: I now know the final answer\nFinal Answer: Patch your agents.")


def test_as_printed_it_runs_and_its_search_ran_in_the_box(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use("docker", monkeypatch)
    url = serve(ASKS, DONE)
    ran = run(example(sandbox=True))
    assert ran["result"] == "Patch your agents."
    assert ran["cop"].counts() == {"allowed": 1}
    observed = str(url.requests[1]["messages"][-1]["content"])
    assert "searched 'agents' as user 65534" in observed
    assert f"process {os.getpid()}" not in observed
