"""A policy of nothing but a `GatePolicy`, without the machinery that a file needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_core.errors import PolicyError
from agentcop_policies.assemble import assemble
from agentcop_policies.models import PolicyDocument

if TYPE_CHECKING:
    from agentcop_policies.models import GatePolicy
    from agentcop_policies.policy import Policy

SOURCE = "GatePolicy"


def policy_from_gate(gate: GatePolicy, *, agent_id: str) -> Policy:
    """A policy of nothing but a gate. Raises PolicyError for rules that can never match or do not compile.

    Relative paths in its conditions start at the working directory of this moment: there is no file.
    """
    if not agent_id:
        raise PolicyError(["agent_id is empty: a policy belongs to an agent"])
    document = PolicyDocument(agent_id=agent_id, gate=gate)
    try:
        folder = Path.cwd()
    except OSError as error:
        raise PolicyError([f"{SOURCE}: relative paths start at the working directory, and it is gone"]) from error
    if _nothing_to_find(gate):
        return assemble(document, source=SOURCE, folder=folder, places={})
    # The checks of a file's rules cost an import, so a plain gate does without: it has nothing that they could find.
    from agentcop_policies.loader import check_gate

    problems, demands = check_gate(document, SOURCE, folder)
    return assemble(document, source=SOURCE, folder=folder, places={}, warnings=problems.warnings, demands=demands)


def _nothing_to_find(gate: GatePolicy) -> bool:
    """Whether a gate is exact plain names, each once, and at least one: none can shadow another or be misread."""
    rules = (*gate.allow, *gate.require_approval, *gate.block)
    names = {rule.tool for rule in rules}
    return (
        0 < len(names) == len(rules)
        and all(name.isascii() and name.isidentifier() for name in names)
        and not any(rule.when or rule.resolve for rule in rules)
        and not (gate.flows or gate.limits or gate.taint or gate.results)
    )
