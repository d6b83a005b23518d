"""The policy language: what people decided beforehand.

`load_policy(path)` reads YAML, `GatePolicy(...)` is the same in Python, `Policy.decide` says what one call gets. Names
are imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_policies.loader import load_policy, parse_policy
    from agentcop_policies.models import GatePolicy, PolicyDocument, Rule
    from agentcop_policies.policy import Policy

__all__ = ["GatePolicy", "Policy", "PolicyDocument", "Rule", "load_policy", "parse_policy"]

_HOME = {
    "GatePolicy": "models",
    "PolicyDocument": "models",
    "Rule": "models",
    "Policy": "policy",
    "load_policy": "loader",
    "parse_policy": "loader",
}


def __getattr__(name: str) -> object:
    """Import what is asked for from the module that defines it."""
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
