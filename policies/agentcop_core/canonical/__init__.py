"""The canonical form of a call's arguments: frozen once, judged, digested, and run as judged."""

from __future__ import annotations

from agentcop_core.canonical.frozen import MAX_BYTES, ArgumentRefused, digest, freeze, redigest, unchanged

__all__ = ["MAX_BYTES", "ArgumentRefused", "digest", "freeze", "redigest", "unchanged"]
