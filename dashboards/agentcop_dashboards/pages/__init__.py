"""The detector's own pages: recent alerts, recent runs, and one run step by step. They read; they change nothing."""

from __future__ import annotations

from agentcop_dashboards.pages.app import app
from agentcop_dashboards.pages.linked import Links

__all__ = ["Links", "app"]
