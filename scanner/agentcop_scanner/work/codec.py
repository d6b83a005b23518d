"""Analyses as JSON: between processes, and in the cache."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from agentcop_scanner.analysis import Analysis
from agentcop_scanner.finding import Finding, Place, Step
from agentcop_scanner.trust.suppression import Suppression


def encoded(analysis: Analysis) -> bytes:
    """An analysis as one line of JSON."""
    return orjson.dumps(asdict(analysis), option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def decoded(raw: bytes) -> Analysis:
    """The analysis that was encoded. Raises ValueError, KeyError or TypeError for anything else."""
    data: dict[str, Any] = orjson.loads(raw)
    data["findings"] = tuple(_finding(item) for item in data["findings"])
    data["suppressions"] = tuple(
        Suppression(**{**item, "rules": tuple(item["rules"])}) for item in data["suppressions"]
    )
    data["notes"] = tuple(data["notes"])
    return Analysis(**data)


def _finding(data: dict[str, Any]) -> Finding:
    data["place"] = Place(**data["place"])
    data["trace"] = tuple(Step(**{**step, "place": Place(**step["place"])}) for step in data["trace"])
    return Finding(**data)
