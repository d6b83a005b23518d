"""The peer: Microsoft's agent-governance-toolkit, its own governed call with audit on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = 20


def governed(tool: Callable[..., object], note: str) -> Callable[[], object] | None:
    """The tool behind `govern()` with twenty rules, or None where the peer is not installed."""
    try:
        from agentmesh.governance import govern
    except ImportError:
        return None
    rules = "".join(
        f"  - {{name: r{number}, condition: \"action.type == 'tool_{number}'\", action: deny, priority: {number}}}\n"
        for number in range(RULES)
    )
    policy = f"apiVersion: governance.toolkit/v1\nname: bench\ndefault_action: allow\nrules:\n{rules}"
    wrapped = govern(tool, policy=policy)

    def call() -> object:
        return wrapped(order="o-1", amount=12.5, note=note)

    return call
