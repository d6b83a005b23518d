"""A span of the application's that its provider's limits would cut: what we wrote is kept whole for the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import SpanContext
    from opentelemetry.trace.status import Status, StatusCode
    from opentelemetry.util.types import Attributes, AttributeValue

_ENOUGH = 64
"""Attributes; ours are fewer, and what a tool's body adds is the application's."""


def cuts(provider: object) -> bool:
    """Whether this provider has limits that our attributes may exceed."""
    limits = getattr(provider, "_span_limits", None)
    count = getattr(limits, "max_span_attributes", None)
    return getattr(limits, "max_span_attribute_length", None) is not None or (count is not None and count < _ENOUGH)


class WholeSpan(Span):
    """Writes to the application's span, and remembers what it was told. Belongs to one thread or task, as that does."""

    def __init__(self, span: Span, attributes: Mapping[str, str]) -> None:
        """`span`, which was started with `attributes`."""
        self._span = span
        self._told: dict[str, AttributeValue] = dict(attributes)

    def readable(self) -> ReadableSpan | None:
        """The span as the detector gets it, once it has ended; None if it was none of the SDK's."""
        span = self._span
        if not isinstance(span, ReadableSpan):
            return None
        return ReadableSpan(
            name=span.name,
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes={**(span.attributes or {}), **self._told},
            events=span.events,
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    @property
    def inner(self) -> Span:
        """The application's span."""
        return self._span

    def end(self, end_time: int | None = None) -> None:
        """End the application's span."""
        self._span.end(end_time)

    def get_span_context(self) -> SpanContext:
        """That of the application's span."""
        return self._span.get_span_context()

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """On both."""
        self._told.update(attributes)
        self._span.set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """On both."""
        self._told[key] = value
        self._span.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """On the application's span."""
        self._span.add_event(name, attributes, timestamp)

    def update_name(self, name: str) -> None:
        """On the application's span."""
        self._span.update_name(name)

    def is_recording(self) -> bool:
        """Whether the application's span is."""
        return self._span.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """On the application's span."""
        self._span.set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 -- OpenTelemetry's signature
    ) -> None:
        """On the application's span."""
        self._span.record_exception(exception, attributes, timestamp, escaped)
