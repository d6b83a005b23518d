"""One request to run a tool, frozen: what is judged is what runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one call in their three forms, made once by `agentcop_core.canonical.freeze`."""

    values: Mapping[str, object]
    """The private copy that the tool's body receives, with Python's own types; live objects by reference."""
    plain: Mapping[str, object]
    """The same as JSON-shaped values (dict, list, str, int, float, bool, None), for rules and logs."""
    canonical: bytes
    """Sorted-key JSON of `plain`, UTF-8: the form that digests are taken of."""
    opaque: tuple[str, ...] = ()
    """Top-level names of arguments that are, or hold, live objects, which stand as `{"$opaque": "module.Type"}`."""
    is_exact: bool = False
    """Every value is Python's own and has a JSON form of its own: writing them again shows whether one changed."""
    live: frozenset[str] = frozenset()
    """Those of them that pass by reference because whoever guarded the tool said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One frozen request to run a tool. Made by an adapter's seam; read by policy, control, sandbox and log."""

    tool: str
    """Canonical name: NFKC, trimmed, no invisible characters."""
    arguments: Arguments
    digest: str
    """SHA-256 (hex) over name and canonical arguments."""
    agent_id: str = ""
    session_id: str = ""
    run_id: str = ""
    """Id of the enclosing agent run; "" for a call that stands alone."""
    call_id: str = ""
    """The framework's id of this call, else one of ours."""
    at: float = 0.0
    """When it was asked for, in seconds since the epoch; `now` in a condition."""
