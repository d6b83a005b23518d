"""Policies from text, for tests: loaded, or their problems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop_core.errors import PolicyError
from agentcop_core.session import Session
from agentcop_policies import parse_policy
from agentcop_policies.casebook import make_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_core.verdict import Verdict
    from agentcop_policies import Policy

HEAD = "agent_id: tester\n"


def policy(text: str, folder: Path = Path("/nowhere")) -> Policy:
    """The policy in `text`, whose file is called policy.yaml."""
    return parse_policy(text, name="policy.yaml", folder=folder)


def gate(text: str, folder: Path = Path("/nowhere")) -> Policy:
    """A policy of one `gate:` section, whose keys start in line 3 at column 3."""
    return policy(_gate_text(text), folder)


def problems(text: str, folder: Path = Path("/nowhere")) -> tuple[str, ...]:
    """Everything that is wrong with the policy in `text`."""
    with pytest.raises(PolicyError) as caught:
        policy(text, folder)
    return caught.value.problems


def gate_problems(text: str) -> tuple[str, ...]:
    """Everything that is wrong with a `gate:` section, whose keys start in line 3 at column 3."""
    return problems(_gate_text(text))


def verdict(of: Policy, tool: str, arguments: Mapping[str, object] | None = None, user: str = "") -> Verdict:
    """What `of` says about one call in a new session."""
    call = make_call(tool, arguments or {}, agent_id=of.agent_id, now=0.0)
    return of.decide(call, Session("test", user=user))


def _gate_text(text: str) -> str:
    return HEAD + "gate:\n" + "".join(f"  {line}\n" for line in text.splitlines())
