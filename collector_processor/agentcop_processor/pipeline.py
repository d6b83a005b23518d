"""What the gates of one state folder share: the log, the spans, what leaves for the detector, the redactor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agentcop_core.home import ensure_state_folder
from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.alerting import Alerting
from agentcop_processor.gatelog import GateLog
from agentcop_processor.sessions import SessionStore
from agentcop_processor.telemetry.spans import SpanSource

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import SpanProcessor

    from agentcop_core.redact import Redactor
    from agentcop_processor.export.detector_export import DetectorExport

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_CAPTURE_ON = frozenset({"true", "span_only", "span_and_event"})


class Pipeline:
    """One state folder's log, spans and export, shared by all gates of this process that use it. Thread-safe."""

    def __init__(self, home: Path) -> None:
        """`home` is created if need be. Raises OSError where it cannot be written: no log, no gate.

        Raises ValueError where `AGENTCOP_OTLP_ENDPOINT` is no endpoint.
        """
        self.home = ensure_state_folder(home)
        self.log = GateLog(home)
        self.spans = SpanSource(_application_processor)
        self.alerts = Alerting(home)
        self.sessions = SessionStore()
        self.captures_content = os.environ.get(_CAPTURE, "").strip().lower() in _CAPTURE_ON
        """OpenTelemetry's own switch: whether arguments go on the spans that leave by the application's exporters."""
        self._making = safe_lock()
        self._redactor: Redactor | None = None
        self._export: DetectorExport | None = None
        if os.environ.get("AGENTCOP_OTLP_ENDPOINT"):
            self._make_export()

    @property
    def redactor(self) -> Redactor:
        """What every outlet goes through. Its patterns are compiled when something first leaves, not at arming."""
        if self._redactor is None:
            with IMPORTING:
                from agentcop_core.redact import Redactor

            self._redactor = Redactor()
        return self._redactor

    @property
    def export(self) -> DetectorExport:
        """The way to the detector; loaded when the first span leaves."""
        return self._export or self._make_export()

    def close(self, seconds: float) -> None:
        """Deliver the spans and the alerts, each for at most `seconds`, end their threads and close the log.

        What comes later opens them again.
        """
        if self._export is not None:
            self._export.shutdown(int(seconds * 1000))
        self.alerts.close(seconds)
        self.log.close()

    def _make_export(self) -> DetectorExport:
        with IMPORTING:
            from agentcop_processor.export.detector_export import detector_export

        with self._making:
            if self._export is None:
                self._export = detector_export(self.home)
            return self._export


def _application_processor() -> SpanProcessor | None:
    with IMPORTING:
        from agentcop_processor.export.application import application_exporter

    exporter = application_exporter(os.environ)
    if exporter is None:
        return None
    with IMPORTING:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(exporter)


_pipelines: dict[Path, Pipeline] = {}
_lock = safe_lock()


def pipeline_for(home: Path) -> Pipeline:
    """The pipeline of this state folder, made at its first use."""
    with _lock:
        pipeline = _pipelines.get(home)
        if pipeline is None:
            pipeline = _pipelines[home] = Pipeline(home)
        return pipeline


def close_pipelines(seconds: float) -> None:
    """Close each pipeline and forget it; a gate keeps its own, the next gate of that folder gets a new one."""
    with _lock:
        pipelines = tuple(_pipelines.values())
        _pipelines.clear()
    for pipeline in pipelines:
        pipeline.close(seconds)
