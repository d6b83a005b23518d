"""What pydantic cannot see: keys that only make sense together, secrets out of place, budgets of two kinds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_policies.document.sections import NetworkAllow
from agentcop_policies.models import LONE_BLOCK, lone_block
from agentcop_policies.reading.channels import check_channels
from agentcop_policies.reading.egress import place_problem, secret_problems
from agentcop_policies.reading.problems import quoted
from agentcop_policies.reading.rules import check_pattern
from agentcop_policies.reading.tree import Path, Scalar, Table, descend, is_text, plain, walk, where
from agentcop_policies.secrets import holds_reference, is_malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_policies.document.demands import Limit
    from agentcop_policies.document.sections import Monitor, Sandbox
    from agentcop_policies.models import PolicyDocument
    from agentcop_policies.reading.problems import Problems

Complaint = tuple[Path, str]

_SUM: Final = re.compile(r"args(?:\.[A-Za-z_][A-Za-z0-9_]*)+", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_LEAST_MEMORY: Final = 33_554_432
_LEAST_CPUS: Final = 0.01
"""Engines round less down to nothing, which is to them no limit at all."""
_LARGEST_ANSWER: Final = 16_777_216
_MOST_WAITING: Final = 16
_LONGEST: Final = 2_592_000.0
_DIGEST: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}", re.ASCII)
_SECRETS_IN: Final = (("monitor", "alert_channels"), ("monitor", "links"), ("sandbox", "secrets"))
_NOWHERE_ELSE: Final = (
    "${…} is filled in for monitor.alert_channels, monitor.links and each value of sandbox.secrets, nowhere else"
)


def check_tree(root: Table, problems: Problems) -> None:
    """What the text alone shows: secrets, and a gate of nothing but `block`."""
    for path, node in walk(root):
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or path[0] == "tests":
            continue
        text = node.value
        if not is_text(text):
            problems.add(node.mark, f"{quoted(text)} holds half of a character: a lone surrogate")
        if not holds_reference(text):
            continue
        if path[:2] not in _SECRETS_IN or (path[0] == "sandbox" and path[-1] != "value"):
            problems.add(node.mark, _NOWHERE_ELSE)
        elif path[0] != "sandbox" and is_malformed(text):
            problems.add(node.mark, f"{quoted(text)}: secrets are written ${{NAME}} or ${{NAME:-default}}")
    check_channels(root, problems)
    gate = descend(root, "gate")
    if isinstance(gate, Table):
        values = plain(gate)
        if isinstance(values, dict) and lone_block(values):
            problems.add(where(root, ("gate",), key=True), f"gate: {LONE_BLOCK}")


def check_document(document: PolicyDocument, root: Table, problems: Problems) -> None:
    """What the values say together."""
    for path, text in _complaints(document):
        problems.add(where(root, path), text)
    for path, pattern in _patterns(document):
        check_pattern(pattern, where(root, path), problems)
    if document.environment != "production" and document.environment.lower() in ("production", "prod", "live"):
        mark = where(root, ("environment",))
        problems.warn(
            mark, f"only environment: production switches on its refusals; this is {quoted(document.environment)}"
        )
    if document.approvals.local and document.environment == "production":
        mark = where(root, ("approvals", "local"))
        problems.warn(mark, "approvals.local does not count in environment: production")
    if document.mode == "observe" and document.sandbox is not None and document.sandbox.mode != "none":
        mark = where(root, ("sandbox",), key=True)
        problems.warn(mark, "mode: observe only watches: no call runs in the sandbox")
    process = document.sandbox is not None and document.sandbox.mode == "process"
    if process and descend(root, "sandbox", "cpus") is not None:
        mark = where(root, ("sandbox", "cpus"), key=True)
        problems.warn(mark, "mode: process does not limit processors: sandbox.cpus has no effect")


def _complaints(document: PolicyDocument) -> Iterator[Complaint]:
    for index, limit in enumerate(document.gate.limits):
        if text := _limit(limit):
            yield ("gate", "limits", index), text
    if (taint := document.gate.taint) is not None:
        if not taint.sources:
            yield ("gate", "taint", "sources"), "gate.taint.sources names no tool"
        if not taint.sinks:
            yield ("gate", "taint", "sinks"), "gate.taint.sinks names no tool"
    if document.monitor is not None:
        yield from _monitor(document.monitor)
    approvals = document.approvals
    if approvals.approvers and approvals.required > len(approvals.approvers):
        text = f"{approvals.required} must agree, but only {len(approvals.approvers)} may answer"
        yield ("approvals", "required"), text
    if document.sandbox is not None:
        yield from _sandbox(document.sandbox, document.environment)


def _monitor(monitor: Monitor) -> Iterator[Complaint]:
    for name in ("trace", "page") if monitor.links is not None else ():
        if (link := getattr(monitor.links, name)) and "{trace_id}" not in link:
            yield ("monitor", "links", name), f"monitor.links.{name} needs {{trace_id}} where the id belongs"


def _limit(limit: Limit) -> str:
    kinds = [key for key in ("max_calls", "sum", "tokens") if getattr(limit, key) is not None]
    if len(kinds) != 1:
        return f"a limit has one of max_calls, sum with max, or tokens; this has {' and '.join(kinds) or 'none'}"
    if (limit.sum is None) != (limit.max is None):
        return "sum and max belong together: what is added up, and what it may reach"
    if limit.sum is not None and not _SUM.fullmatch(limit.sum):
        return f"sum names an argument, as args.amount; got {quoted(limit.sum)}"
    return ""


def _limits(sandbox: Sandbox) -> Iterator[Complaint]:
    """What no box or pool could keep."""
    if sandbox.memory < _LEAST_MEMORY:
        yield ("sandbox", "memory"), f"{sandbox.memory} bytes hold no Python: write {_LEAST_MEMORY >> 20}MiB or more"
    if sandbox.cpus < _LEAST_CPUS:
        yield ("sandbox", "cpus"), f"{sandbox.cpus:g} is less of a processor than can be given: write 0.01 or more"
    # The supervisor and the tool's process, and a thread of the supervisor's for the way out.
    least = 2 if sandbox.network == "none" else 3
    if sandbox.mode == "container" and sandbox.pids < least:
        yield ("sandbox", "pids"), f"a box alone has {least} processes and threads: write {least} or more"
    for key in ("max_result", "max_stdout"):
        if getattr(sandbox, key) > _LARGEST_ANSWER:
            yield ("sandbox", key), f"no more than {_LARGEST_ANSWER >> 20}MiB can leave a box at a time"
    if sandbox.pool > _MOST_WAITING:
        yield ("sandbox", "pool"), f"no more than {_MOST_WAITING} boxes wait at a time"
    if sandbox.timeout > _LONGEST:
        yield ("sandbox", "timeout"), "no call may take longer than 30d"


def _box(sandbox: Sandbox) -> Iterator[Complaint]:
    """What belongs to another mode, and a pin that is none."""
    if sandbox.image_digest is not None and sandbox.mode == "process":
        yield ("sandbox", "image_digest"), "image_digest is for mode: container; mode: process has no image"
    if sandbox.image_digest is not None and not _DIGEST.fullmatch(sandbox.image_digest):
        yield (
            ("sandbox", "image_digest"),
            f"expected the whole id, sha256: and 64 hex digits, got {quoted(sandbox.image_digest)}",
        )
    if sandbox.runtime is not None and sandbox.mode != "container":
        yield ("sandbox", "runtime"), f"runtime is for mode: container; this is mode: {sandbox.mode}"


def _sandbox(sandbox: Sandbox, environment: str) -> Iterator[Complaint]:
    if sandbox.mode == "none" and environment == "production" and not sandbox.acknowledge_unsandboxed:
        yield (
            ("sandbox", "mode"),
            "mode: none in environment: production needs acknowledge_unsandboxed: true",
        )
    yield from _limits(sandbox)
    yield from _box(sandbox)
    if isinstance(sandbox.network, NetworkAllow):
        for index, place in enumerate(sandbox.network.allow):
            if problem := place_problem(place):
                yield ("sandbox", "network", "allow", index), problem
    yield from secret_problems(sandbox)
    for index, name in enumerate(sandbox.env):
        if not _VARIABLE.fullmatch(name):
            yield ("sandbox", "env", index), f"expected a variable's name, got {quoted(name)}"
    for index, mount in enumerate(sandbox.mounts):
        parts = mount.split(":")
        if (
            len(parts) not in (2, 3)
            or not parts[0]
            or not parts[1].startswith("/")
            or parts[2:] not in ([], ["ro"], ["rw"])
        ):
            yield ("sandbox", "mounts", index), f"expected SOURCE:/TARGET, with :ro or :rw, got {quoted(mount)}"


def _patterns(document: PolicyDocument) -> Iterator[tuple[Path, str]]:
    """Tools named outside the three lists."""
    for index, flow in enumerate(document.gate.flows):
        yield ("gate", "flows", index, "after"), flow.after
        yield ("gate", "flows", index, "then"), flow.then
    for index, limit in enumerate(document.gate.limits):
        yield ("gate", "limits", index, "tool"), limit.tool
    if (taint := document.gate.taint) is not None:
        for index, source in enumerate(taint.sources):
            yield ("gate", "taint", "sources", index), source
        for index, sink in enumerate(taint.sinks):
            yield ("gate", "taint", "sinks", index, "tool"), sink.tool
    if document.sandbox is not None:
        for index, tool in enumerate(document.sandbox.tools):
            yield ("sandbox", "tools", index), tool
