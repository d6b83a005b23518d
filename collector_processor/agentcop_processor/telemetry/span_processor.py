"""Judges each tool call when its span starts: before the call runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from agentcop_processor.call.slot import SLOT, judge

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span


class GateSpanProcessor(SpanProcessor):
    """Fills the open verdict slot of the context in which a span starts.

    Reads the frozen `ToolCall`, never the span: limits truncate attributes and samplers drop them. `on_start` runs on
    the caller's thread, blocks only as long as the policy takes, and never raises. Holds no state, so one instance
    may stand in any number of providers.
    """

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 -- the SDK's signature
        """Judge the call whose span this is."""
        slot = SLOT.get()
        if slot is not None:
            judge(slot, "span_processor")
