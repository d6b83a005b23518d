"""Every framework known by name is either governed by an adapter or named as ungoverned, never both, never neither."""

from __future__ import annotations

from agentcop import adapters
from agentcop._arming.frameworks import ROOTS, UNGOVERNED


def test_no_framework_is_forgotten() -> None:
    assert {name.partition(".")[0] for name in (*adapters.REGISTRY, *UNGOVERNED)} == ROOTS


def test_no_governed_framework_is_called_ungoverned() -> None:
    assert adapters.ROOTS.keys() & {name.partition(".")[0] for name in UNGOVERNED} == set()
