"""The one redactor: every outlet (log, spans, alerts, reports) goes through it."""

from __future__ import annotations

from agentcop_core.redact.redactor import Redactor

__all__ = ["Redactor"]
