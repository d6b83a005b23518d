"""Whether the policy loads and enforces, and what in it does nothing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop.cli.checks.found import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.checks.found import Context, Found


def check(context: Context) -> Iterator[Found]:
    """Every problem or warning of the file: unenforced keys and unset variables among them."""
    policy = context.policy
    if policy is None:
        for problem in context.problems:
            yield failed("policy", problem)
        return
    version = f" {policy.version}" if policy.version else ""
    said = f"{context.policy_file}: {policy.agent_id}{version}, digest {policy.digest[:12]}"
    if policy.document.mode == "observe":
        yield failed("policy", f"{said}; mode: observe: nothing is stopped")
    else:
        yield ok("policy", said)
    for each in policy.warnings:
        yield warning("policy", each)
