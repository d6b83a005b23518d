"""Frames as requests that another receiver takes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_core.otlp.lines import from_line
from agentcop_detectors.receive.skeleton import SKELETON
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.segments.tail import Position

_log = logging.getLogger("agentcop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One frame, ready to be sent."""

    after: Position
    """Where the next frame begins."""
    body: bytes
    """ExportTraceServiceRequest, binary; empty for a frame that cannot be one."""
    spans: int


def part_of(frame: Frame, after: Position) -> Part:
    """The frame as binary OTLP. Several such bodies, one behind the other, are one request: its field is a list.

    What was taken as JSON and fits no protobuf message (the receiver's reading is more lenient) has no body.
    """
    body = frame.body
    if frame.encoding is Encoding.JSON:
        try:
            body = from_line(frame.body).SerializeToString()
        except ValueError:
            _log.warning("agentcop: a request that was taken as JSON is no protobuf message; it is not forwarded")
            return Part(after=after, body=b"", spans=0)
    return Part(after=after, body=body, spans=spans_in(body))


def spans_in(body: bytes) -> int:
    """How many spans a binary request holds, that was checked when it was received."""
    request = SKELETON.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
