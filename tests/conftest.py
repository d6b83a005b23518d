"""What holds in every test: a state folder of its own, none of this shell's settings, reproducible Hypothesis runs."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# No deadline: two busy cores are no finding. In CI the same examples each time, so that a failure is the change's.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

# A shell starts what it puts in the background deaf to Ctrl-C, and every process of a test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)

_numbers = itertools.count()


@pytest.fixture(scope="session")
def _states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def agentcop_home(_states: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder of this test, not created; `AGENTCOP_HOME` names it, other AGENTCOP_*, OTEL_* are unset."""
    for name in [name for name in os.environ if name.startswith(("AGENTCOP_", "OTEL_"))]:
        monkeypatch.delenv(name)
    home = _states / f"{next(_numbers)}"
    monkeypatch.setenv("AGENTCOP_HOME", str(home))
    yield home
    # A process has a pipeline or two, these tests one each: thousands of threads and of open files else.
    pipelines = sys.modules.get("agentcop_processor.pipeline")
    if pipelines is not None:
        pipelines.close_pipelines(2)
    # A strict cop refuses what nobody governs, in the tests after this one too if a circle of references keeps it.
    gates = sys.modules.get("agentcop_processor.gate")
    if gates is not None and any(gate.policy.document.gate.strict for gate in gates.live_gates()):
        gc.collect()
