"""The checks that need no learning, in the order in which they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_detectors.checks.broken_chain import BrokenChain
from agentcop_detectors.checks.gate_block import GateBlock
from agentcop_detectors.checks.new_tool import NewTool
from agentcop_detectors.checks.policy_loosened import PolicyLoosened
from agentcop_detectors.checks.refusal_storm import RefusalStorm
from agentcop_detectors.checks.unenforced_call import UnenforcedCall
from agentcop_detectors.checks.volume import Volume

if TYPE_CHECKING:
    from agentcop_detectors.checks._interface import Check
    from agentcop_detectors.checks.volume import Ceilings
    from agentcop_detectors.policies import Policies


def built_in(policies: Policies | None = None, ceilings: Ceilings | None = None) -> tuple[Check, ...]:
    """One of each. `policies`: the detector's folder, if it has one; `ceilings`: None takes the defaults."""
    return (
        GateBlock(policies),
        UnenforcedCall(),
        BrokenChain(),
        PolicyLoosened(policies),
        RefusalStorm(),
        NewTool(),
        Volume(ceilings),
    )
