"""What the arguments of `AgentCop(...)` mean together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agentcop_core.errors import PolicyError
from agentcop_policies import GatePolicy, Policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agentcop_policies.document.sections import SandboxMode
    from agentcop_processor.reload.policy_file import PolicyFile

_STRICTNESS = ("none", "process", "container")


def chosen_policy(
    *,
    agent_id: str | None,
    policy: GatePolicy | None,
    policy_file: str | Path | None,
    switches: Mapping[str, bool | None],
    sandbox_mode: SandboxMode | None,
) -> tuple[Policy, bool, PolicyFile | None]:
    """The policy in force, whether it judges, and the file that it is read anew from when that changes.

    Raises PolicyError or TypeError where the arguments disagree.
    """
    _check_types(agent_id, policy, policy_file, switches)
    if policy is not None and policy_file is not None:
        raise PolicyError(["AgentCop: give policy= or policy_file=, not both"])
    given = policy is not None or policy_file is not None
    if switches["gate"] and not given:
        raise PolicyError(["AgentCop: gate=True needs a policy: give policy= or policy_file="])
    if not given and not switches["monitor"]:
        raise PolicyError(["AgentCop: nothing to do: give policy= or policy_file=, or monitor=True"])
    _check_mode(sandbox_mode)
    judging = given and switches["gate"] is not False
    if policy_file is not None:
        file = _file(agent_id, policy_file, sandbox_mode)
        return file.first(), judging, file
    if not agent_id:
        raise PolicyError(["AgentCop: agent_id= is missing; a policy file has its own"])
    chosen = Policy.from_gate(policy or GatePolicy(default="allow"), agent_id=agent_id)
    return _sandboxed(chosen, sandbox_mode), judging, None


def _check_types(agent_id: object, policy: object, policy_file: object, switches: Mapping[str, object]) -> None:
    if agent_id is not None and not isinstance(agent_id, str):
        message = f"AgentCop: agent_id must be a str, not {type(agent_id).__name__}"
        raise TypeError(message)
    if policy is not None and not isinstance(policy, GatePolicy):
        message = f"AgentCop: policy must be a GatePolicy, not {type(policy).__name__}; a file goes to policy_file="
        raise TypeError(message)
    if policy_file is not None and not isinstance(policy_file, str | os.PathLike):
        message = f"AgentCop: policy_file must be a path, not {type(policy_file).__name__}"
        raise TypeError(message)
    for name, value in switches.items():
        if value is not None and not isinstance(value, bool):
            message = f"AgentCop: {name} must be True or False, not {type(value).__name__}"
            raise TypeError(message)


def _file(agent_id: str | None, policy_file: str | Path, sandbox_mode: SandboxMode | None) -> PolicyFile:
    name = os.fspath(policy_file)
    if not name:
        raise PolicyError(["AgentCop: policy_file= is empty: name a file, or leave it out"])
    # Reading a file is the road to PyYAML and pydantic, which a policy written in Python does without.
    from agentcop_policies import load_policy
    from agentcop_processor.reload.policy_file import PolicyFile

    try:
        path = os.path.abspath(name)  # noqa: PTH100 -- its links stay: they may lead to another file later
    except OSError:  # the working folder is gone, and the loader says so
        path = name

    def load() -> Policy:
        loaded = load_policy(path, name=name)
        if agent_id is not None and agent_id != loaded.agent_id:
            raise PolicyError([f"{name}: agent_id is {loaded.agent_id!r} there and {agent_id!r} in AgentCop(…)"])
        return _sandboxed(loaded, sandbox_mode)

    return PolicyFile(path, load)


def _check_mode(mode: SandboxMode | None) -> None:
    if mode is not None and mode not in _STRICTNESS:
        raise PolicyError([f"AgentCop: sandbox_mode must be one of {', '.join(_STRICTNESS)}, not {mode!r}"])


def _sandboxed(policy: Policy, mode: SandboxMode | None) -> Policy:
    written = policy.document.sandbox.mode if policy.document.sandbox is not None else "none"
    if mode is None or _STRICTNESS.index(mode) <= _STRICTNESS.index(written):
        return policy
    return policy.with_sandbox_mode(mode)


def check_approver(approver: object) -> None:
    """Raises TypeError for what cannot be asked."""
    if approver is not None and not callable(approver):
        message = f"AgentCop: approver must be callable as approver(call, deadline), not {type(approver).__name__}"
        raise TypeError(message)


def unsandboxed_warnings(policy: Policy, *, judging: bool) -> Iterator[str]:
    """What is to be said where a sandbox is asked for and no call runs in it."""
    sandbox = policy.document.sandbox
    if sandbox is None or sandbox.mode == "none" or (judging and policy.document.mode == "enforce"):
        return
    if not judging:
        yield "gate=False switches the sandbox off too: no call runs in it"
    elif not policy.files:  # a file's own warning has said so
        yield "mode: observe only watches: no call runs in the sandbox"


def local_approval_warnings(policy: Policy, approver: object) -> Iterator[str]:
    """What is to be said where the agent's own process can say yes to itself."""
    if approver is not None and policy.document.environment == "production":
        yield (
            "approver= decides in the agent's own process, in environment: production: code that the agent runs there "
            "could approve itself"
        )
    elif approver is None and policy.document.approvals.local and policy.document.environment != "production":
        yield "approvals.local asks on this process's own terminal: code that the agent runs there could approve itself"
