"""From what a caller asked for to a frozen `ToolCall`, or to the reason why it cannot be one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from agentcop_core.canonical import ArgumentRefused, digest, freeze
from agentcop_core.names import MAX_NAME, canonical_name
from agentcop_core.toolcall import Arguments, ToolCall

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_NOTHING = Arguments(values={}, plain={}, canonical=b"{}")


def frozen_call(  # noqa: PLR0913 -- the call's identity, each part from another place
    tool: str,
    arguments: Mapping[str, object],
    *,
    live: Collection[str],
    max_bytes: int,
    agent_id: str,
    session_id: str,
    run_id: str,
    call_id: str,
) -> tuple[ToolCall, str]:
    """The call and "", or a call without arguments and the one-sentence reason why they could not be frozen."""
    name = canonical_name(tool)
    refused = ""
    try:
        frozen = freeze(arguments, max_bytes=max_bytes, live=live)
        call_digest = digest(name, frozen)
    except ArgumentRefused as error:
        frozen, call_digest, refused = _NOTHING, "", str(error)
    call = ToolCall(
        tool=name,
        arguments=frozen,
        digest=call_digest,
        agent_id=agent_id,
        session_id=session_id,
        run_id=run_id,
        call_id=_bounded(call_id) or os.urandom(8).hex(),
        at=time.time(),
    )
    return call, refused


def _bounded(call_id: str) -> str:
    """The id if it looks like one. It is the model's own: one as long as a line of gate.log would hide its call."""
    return (
        call_id if len(call_id) <= MAX_NAME and call_id.isascii() and call_id.isprintable() else canonical_name(call_id)
    )


def unread_call(tool: str, *, agent_id: str, session_id: str, run_id: str) -> ToolCall:
    """A call of which nothing is known but whose it is."""
    return ToolCall(
        tool=canonical_name(tool),
        arguments=_NOTHING,
        digest="",
        agent_id=agent_id,
        session_id=session_id,
        run_id=run_id,
        call_id=os.urandom(8).hex(),
        at=time.time(),
    )
