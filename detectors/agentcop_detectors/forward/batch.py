"""Frames as requests that another receiver takes."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_core.otlp.lines import from_line
from agentcop_detectors.normalise import frames
from agentcop_detectors.receive.skeleton import SKELETON
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from agentcop_detectors.receive.tokens import Tokens
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
    foreign: int = 0
    """Spans left out of `body`: about an agent that the sender's token does not speak for."""


def part_of(frame: Frame, after: Position, tokens: Tokens | None = None) -> Part:
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
    foreign = 0
    if tokens is not None and tokens.required:
        body, foreign = spoken_for(frame._replace(encoding=Encoding.PROTOBUF, body=body), tokens)
    return Part(after=after, body=body, spans=spans_in(body), foreign=foreign)


def spoken_for(frame: Frame, tokens: Tokens) -> tuple[bytes, int]:
    """The body of a binary frame without the spans that its sender may not speak for, and how many these were.

    As in scoring: a token of one agent must not write into another's traces, here or elsewhere.
    """
    if not _foreign(frame, tokens):
        return frame.body, 0
    request = SKELETON.FromString(frame.body)
    left_out = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            kept = []
            for span in scope.spans:
                alone = SKELETON()
                above = alone.resource_spans.add(resource=resource.resource)
                above.scope_spans.add(scope=scope.scope, spans=[span])
                if not _foreign(frame._replace(body=alone.SerializeToString()), tokens):
                    kept.append(span)
            left_out += len(scope.spans) - len(kept)
            del scope.spans[:]
            scope.spans.extend(kept)
    return bytes(request.SerializeToString()), left_out


def _foreign(frame: Frame, tokens: Tokens) -> int:
    counts: Counter[frames.Counted] = Counter()
    for _ in frames.steps_of(frame, tokens, counts):
        pass
    return counts["foreign"]


def spans_in(body: bytes) -> int:
    """How many spans a binary request holds, that was checked when it was received."""
    request = SKELETON.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
