"""Whether the policy loads and enforces, and what in it does nothing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop.cli.doctor.checks.found import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found


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
    gate = policy.document.gate
    wide = ["gate.default is allow"] if gate.default == "allow" else []
    wide += ["gate.allow has a bare *" for rule in gate.allow if rule.tool == "*" and rule.when is None][:1]
    if wide:
        yield warning("policy", f"{' and '.join(wide)}: what is enforced here is that everything else may run")
    for each in policy.warnings:
        yield warning("policy", each)
