"""Runtime protection for AI agents: every tool call is judged before it runs.

    from agentcop import AgentCop
    cop = AgentCop(policy_file="policies/agent.yaml")
    agent = cop.wrap(my_agent)

Importing this package loads nothing else: names resolve at their first use (PEP 562). Where `AGENTCOP_ENABLED` is set
it arms the process, or ends it: some installs have no `.pth` file that did so at the start.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # see agentcop._boot
if TYPE_CHECKING:
    from agentcop._cop import AgentCop
    from agentcop_control.approval import Approve, Deny
    from agentcop_core.errors import (
        AgentCopError,
        AgentFrozen,
        ApprovalDenied,
        ApprovalExpired,
        NoApprover,
        NotArmed,
        PolicyBlocked,
        PolicyError,
        ResultTooLarge,
        ResultUnsendable,
        SandboxCrashed,
        SandboxError,
        SandboxRefused,
        SandboxTimeout,
        ScanError,
        ScanRefused,
        ToolBlocked,
    )
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_policies import GatePolicy

__all__ = [
    "AgentCop",
    "AgentCopError",
    "AgentFrozen",
    "ApprovalDenied",
    "ApprovalExpired",
    "Approve",
    "Deny",
    "GatePolicy",
    "NoApprover",
    "NotArmed",
    "PolicyBlocked",
    "PolicyError",
    "ResultTooLarge",
    "ResultUnsendable",
    "SandboxCrashed",
    "SandboxError",
    "SandboxRefused",
    "SandboxTimeout",
    "ScanError",
    "ScanRefused",
    "ToolBlocked",
    "ToolCall",
    "Verdict",
]

_HOME = {
    "AgentCop": "agentcop._cop",
    "Approve": "agentcop_control.approval",
    "Deny": "agentcop_control.approval",
    "GatePolicy": "agentcop_policies",
    "ToolCall": "agentcop_core.toolcall",
    "Verdict": "agentcop_core.verdict",
}


def __getattr__(name: str) -> object:
    """Load the module that a public name lives in, at its first use."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(_HOME.get(name, "agentcop_core.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)


if os.environ.get("AGENTCOP_ENABLED"):
    from agentcop._boot import arm

    arm()
