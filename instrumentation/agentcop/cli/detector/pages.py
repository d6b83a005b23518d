"""The detector's pages over its own records: put together here, because the service knows no pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from agentcop_detectors.service.settings import Settings


def pages(settings: Settings) -> ASGIApp:
    """The pages of alerts and runs. Blocks; raises AgentCopError or OSError where the records cannot be opened."""
    from agentcop_dashboards.pages import Links, app
    from agentcop_dashboards.pages.app import LOOPBACK
    from agentcop_detectors.receive.tokens import read_tokens
    from agentcop_detectors.segments.spans import SpanStore
    from agentcop_detectors.store.reader import Reader, connect
    from agentcop_detectors.telling.routing import default_monitor

    tokens = read_tokens(settings.tokens) if settings.tokens else None
    default = default_monitor(settings.alerts) if settings.alerts else None
    templates = default.links if default is not None else None
    return app(
        Reader(connect(settings.database)),
        SpanStore(settings.segments, tokens=tokens),
        Links(trace=templates.trace or "", dashboard=templates.dashboard or "") if templates else Links(),
        hosts=(*LOOPBACK, settings.operations.host),
    )
