"""Where spans go: to the detector whatever the application samples, and to what `OTEL_*` names."""

from __future__ import annotations

from agentcop_processor.export.application import application_exporter
from agentcop_processor.export.content import ContentMode, ContentTable
from agentcop_processor.export.detector_export import DetectorExport, ExportStats, detector_export

__all__ = [
    "ContentMode",
    "ContentTable",
    "DetectorExport",
    "ExportStats",
    "application_exporter",
    "detector_export",
]
