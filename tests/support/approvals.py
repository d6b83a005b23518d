"""Cops whose policy holds one tool, `pay`, for a person; and approvers that a test can steer."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

from agentcop import AgentCop, Approve

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop import Deny, ToolCall
    from agentcop_control.approval import Approver
    from agentcop_processor.gate import Gate

_numbers = itertools.count()


def policy_file(folder: Path, *, gate: str = "{require_approval: [pay]}", **sections: str) -> Path:
    """A policy file with this `gate:` and these other sections, each as YAML."""
    path = folder / f"policy{next(_numbers)}.yaml"
    rest = "".join(f"{name}: {text}\n" for name, text in sections.items())
    path.write_text(f"agent_id: payer\ngate: {gate}\n{rest}", encoding="utf-8")
    return path


def cop(folder: Path, approver: Approver | None = None, **sections: str) -> AgentCop:
    """A cop on `policy_file(folder, **sections)`."""
    return AgentCop(policy_file=policy_file(folder, **sections), approver=approver)


def gate_of(guard: AgentCop) -> Gate:
    """The gate behind a cop, which its user never sees."""
    return guard._gate  # noqa: SLF001 -- the processor is tested below its face


class Steered:
    """An approver that says what it was asked, and answers when the test lets it."""

    def __init__(self, answer: Approve | Deny | Any = None) -> None:
        self.answer = answer if answer is not None else Approve(by="ann")
        self.asked: list[tuple[ToolCall, float]] = []
        self.threads: list[threading.Thread] = []
        self.go = threading.Event()

    def __call__(self, call: ToolCall, deadline: float) -> Approve | Deny:
        """As an approver: blocks until `go`."""
        self.asked.append((call, deadline))
        self.threads.append(threading.current_thread())
        self.go.wait(30)
        return self.answer
