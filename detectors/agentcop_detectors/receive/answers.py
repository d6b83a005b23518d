"""The answers that OTLP defines, in both encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agentcop_detectors.receive.intake import RETRY_SECONDS
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from agentcop_detectors.receive.intake import Taken

INVALID_ARGUMENT: Final = 3
RESOURCE_EXHAUSTED: Final = 8
UNAVAILABLE: Final = 14
UNAUTHENTICATED: Final = 16


def response(taken: Taken) -> ExportTraceServiceResponse:
    """Success, or which part of it."""
    answer = ExportTraceServiceResponse()
    if taken.rejected:
        answer.partial_success.rejected_spans = taken.rejected
        answer.partial_success.error_message = "spans over the size limit were not taken"
    return answer


def success(taken: Taken, encoding: Encoding) -> bytes:
    """The body of a 200."""
    if encoding is Encoding.PROTOBUF:
        return response(taken).SerializeToString()
    if not taken.rejected:
        return b"{}"
    partial = {"rejectedSpans": str(taken.rejected), "errorMessage": "spans over the size limit were not taken"}
    return orjson.dumps({"partialSuccess": partial})


def status(code: int, message: str, *, retry: bool = False) -> Status:
    """What a refusal says; with `retry`, when to come again."""
    made = Status(code=code, message=message)
    if retry:
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=RETRY_SECONDS)))
        made.details.append(detail)
    return made


def failure(code: int, message: str, encoding: Encoding) -> bytes:
    """The body of an HTTP answer that is no 200."""
    if encoding is Encoding.PROTOBUF:
        return bytes(status(code, message).SerializeToString())
    return orjson.dumps({"code": code, "message": message})
