"""Where the spans of an application without a provider of its own go: what `OTEL_*` says, as OpenTelemetry defines it.

The private provider needs it: `AGENTCOP_ENABLED=1` and an endpoint are all it takes to see the agent in Jaeger.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

_log = logging.getLogger("agentcop")

_GRPC_PORT = 4317


def application_exporter(environ: Mapping[str, str] = os.environ) -> SpanExporter | None:
    """The exporter that the environment asks for; None when it asks for none. Opens no connection; never raises.

    `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none`: None. `console`: one JSON object a span on stderr, because
    stdout is the agent's. Otherwise OTLP, if `OTEL_EXPORTER_OTLP_ENDPOINT` or `…_TRACES_ENDPOINT` is set or
    `OTEL_TRACES_EXPORTER` names `otlp`; the official exporter reads endpoint, headers, time-out, certificates and
    compression from the process's environment by itself. `environ` decides only which exporter it is.
    """
    asked = [name.strip() for name in environ.get("OTEL_TRACES_EXPORTER", "").lower().split(",") if name.strip()]
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or "none" in asked:
        return None
    endpoint = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or ""
    try:
        if "otlp" in asked or (not asked and endpoint):
            return _otlp(_protocol(environ, endpoint))
        if "console" in asked:
            with IMPORTING:
                from opentelemetry.sdk.trace.export import ConsoleSpanExporter

            return ConsoleSpanExporter(out=sys.stderr)
    except Exception:  # a broken setting of the application's must not stop its agent
        _log.exception("agentcop: the exporter that OTEL_* asks for could not be made; spans go to the detector only")
        return None
    if asked:
        _log.warning("agentcop: OTEL_TRACES_EXPORTER=%s: only otlp, console and none are known here", ",".join(asked))
    return None


def _protocol(environ: Mapping[str, str], endpoint: str) -> Literal["grpc", "http/protobuf"]:
    """As configured; else gRPC on port 4317, which is what people mean by it, and OpenTelemetry's default elsewhere."""
    said = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or ""
    said = said.strip().lower()
    if said == "grpc":
        return "grpc"
    if said and said != "http/protobuf":
        _log.warning("agentcop: OTEL_EXPORTER_OTLP_PROTOCOL=%s is not known here; using http/protobuf", said)
        return "http/protobuf"
    port = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}").port
    return "grpc" if not said and port == _GRPC_PORT else "http/protobuf"


def _otlp(protocol: Literal["grpc", "http/protobuf"]) -> SpanExporter:
    if protocol == "grpc":
        with IMPORTING:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter()
    with IMPORTING:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

    return HttpExporter()
