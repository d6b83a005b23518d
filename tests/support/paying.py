"""The tool `pay`, which says in `RAN` that it ran, and the approvers of the cops of `approvals`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import gatefile
from agentcop import Approve, Deny, ToolCall

if TYPE_CHECKING:
    from pathlib import Path

RAN: list[Any] = []
SHORT = "{timeout: 50ms}"


def pay(amount: Any = 1) -> str:
    RAN.append(amount)
    return "paid"


async def pay_later(amount: Any = 1) -> str:
    RAN.append(amount)
    await asyncio.sleep(0)
    return "paid"


def yes(call: ToolCall, deadline: float) -> Approve:
    return Approve(by="ann")


async def yes_later(call: ToolCall, deadline: float) -> Approve:
    await asyncio.sleep(0)
    return Approve(by="ann")


def no(call: ToolCall, deadline: float) -> Deny:
    return Deny("not today", by="ann")


def never(call: ToolCall, deadline: float) -> Approve:
    threading.Event().wait(30)
    return Approve()


async def never_later(call: ToolCall, deadline: float) -> Approve:
    await asyncio.sleep(30)
    return Approve()


def outcomes(home: Path) -> list[str]:
    return [line["outcome"] for line in gatefile.lines(home, "outcome")]
