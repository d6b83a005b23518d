"""What `agentcop doctor` looks at beside the seams: one check a file, all of the same shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop.cli.doctor.checks import (
    channels,
    clock,
    detector,
    environment,
    exporter,
    gate_log,
    origin,
    policy,
    sandbox,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop.cli.doctor.checks.found import Context, Found

CHECKS: Final[tuple[Callable[[Context], Iterable[Found]], ...]] = (
    origin.check,
    environment.check,
    policy.check,
    gate_log.check,
    sandbox.check,
    exporter.check,
    detector.check,
    channels.check,
    clock.check,
)
"""In the order in which they are printed. None raises for what it finds wrong."""
