"""The probes in the doctor's own process: armed with the policy, and with nothing that leaves it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import warnings
from typing import TYPE_CHECKING, Final

from agentcop._boot import HOME, POLICY
from agentcop.adapters._interface import CANARY
from agentcop.cli.doctor.probes.canary import probe
from agentcop_core.home import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agentcop.cli.doctor.probes.canary import Seam
    from agentcop.cli.doctor.probes.frameworks import Framework

QUIET: Final = {"OTEL_TRACES_EXPORTER": "none"}
"""What is set for the probes, so that no canary's span is sent to anybody."""
SILENT: Final = ("AGENTCOP_OTLP_ENDPOINT",)
"""What is unset for them."""


def canary_policy(policy_file: str, folder: Path) -> Path:
    """The policy of the probes, in `folder`: the one in `policy_file`, with the canary blocked and nobody alerted."""
    made = folder / "doctor.yaml"
    made.write_text(
        f"extends: {json.dumps(absolute(policy_file))}\ngate: {{block: [{CANARY}], on_block: return_message}}\n",
        encoding="utf-8",
    )
    return made


def probe_here(policy: Path, folder: Path, frameworks: Sequence[Framework]) -> list[Seam]:
    """Arm this process by `policy`, with a state folder in `folder`, and fire the canary through every seam.

    This process is not to be used for anything else afterwards. Raises PolicyError and OSError.
    """
    from agentcop._arming.finder import take_away
    from agentcop._cop import AgentCop
    from agentcop_processor.judges import set_floor

    take_away()
    for name in SILENT:
        os.environ.pop(name, None)
    os.environ.update(QUIET, **{HOME: str(folder / "state"), POLICY: str(policy)})
    with _undisturbed():
        cop = AgentCop(policy_file=policy, monitor=False)
        set_floor(cop._gate)  # noqa: SLF001 -- as arming by the environment does
        return list(probe(cop, frameworks, "this"))


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """What frameworks print goes to stderr, what they warn of to nobody, and neither do our own log lines."""
    log = logging.getLogger("agentcop")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
