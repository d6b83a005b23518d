"""What the processes count, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric

    from agentcop_detectors.service.status import Status

_PREFIX: Final = "agentcop_detector_"


class Named(NamedTuple):
    """The metric of one count."""

    metric: str
    labels: tuple[tuple[str, str], ...] = ()


HELP: Final = {
    "acknowledged_requests": "Requests that are on disk.",
    "acknowledged_spans": "Spans that are on disk.",
    "acknowledged_bytes": "Bytes of requests that are on disk, unpacked.",
    "refused_requests": "Requests that were not taken: malformed, too_large, busy, token, disk.",
    "rejected_spans": "Spans over the size limit, left out of a request that was taken.",
    "scored_requests": "Requests that were scored.",
    "scored_spans": "Spans that were scored.",
    "passed_over": "What could not be used. poisoned: requests; unusable: spans without ids; spoiled: attributes; "
    "foreign: spans about an agent that the token does not speak for.",
    "alerts": "Findings, once each.",
    "alert_deliveries": "Messages about findings, by what became of them.",
    "forwarded_requests": "Requests that the target of --forward took.",
    "forwarded_spans": "Spans that the target of --forward took.",
    "forward_failures": "Attempts that the target of --forward did not take.",
    "forward_dropped": "Spans that are not forwarded (unconvertible: requests; skipped: segments).",
    "restarts": "Starts of a process after its first.",
    "events": "Everything else that is counted.",
    "up": "Whether a process says that it does its work.",
    "lag_bytes": "Bytes on disk that are not scored yet.",
    "open_runs": "Runs that are not over.",
    "forward_behind_bytes": "Bytes on disk that are not forwarded yet.",
    "state": "Everything else that is measured.",
}

_NAMES: Final = {
    "requests": Named("acknowledged_requests", (("source", "otlp"),)),
    "spans": Named("acknowledged_spans", (("source", "otlp"),)),
    "bytes": Named("acknowledged_bytes", (("source", "otlp"),)),
    "spool_requests": Named("acknowledged_requests", (("source", "spool"),)),
    "spool_spans": Named("acknowledged_spans", (("source", "spool"),)),
    "spool_bytes": Named("acknowledged_bytes", (("source", "spool"),)),
    "malformed": Named("refused_requests", (("source", "otlp"), ("reason", "malformed"))),
    "spool_malformed": Named("refused_requests", (("source", "spool"), ("reason", "malformed"))),
    "too_large": Named("refused_requests", (("source", "otlp"), ("reason", "too_large"))),
    "refused_busy": Named("refused_requests", (("source", "otlp"), ("reason", "busy"))),
    "refused_token": Named("refused_requests", (("source", "otlp"), ("reason", "token"))),
    "not_written": Named("refused_requests", (("source", "otlp"), ("reason", "disk"))),
    "rejected_spans": Named("rejected_spans", (("source", "otlp"),)),
    "spool_rejected_spans": Named("rejected_spans", (("source", "spool"),)),
    "frames": Named("scored_requests"),
    "steps": Named("scored_spans"),
    "poisoned": Named("passed_over", (("reason", "poisoned"),)),
    "spoiled": Named("passed_over", (("reason", "spoiled"),)),
    "unusable": Named("passed_over", (("reason", "unusable"),)),
    "foreign": Named("passed_over", (("reason", "foreign"),)),
    "forwarded_requests": Named("forwarded_requests"),
    "forwarded_spans": Named("forwarded_spans"),
    "forward_failures": Named("forward_failures"),
}
_GAUGES: Final = ("lag_bytes", "open_runs", "forward_behind_bytes")


def named(process: str, count: str) -> Named:
    """The metric that a count belongs to: nothing that is counted stays unseen, also if it has no name of its own."""
    if count in _NAMES:
        return _NAMES[count]
    match count.split("."):
        case ["alerts", kind, severity]:
            return Named("alerts", (("kind", kind), ("severity", severity)))
        case ["deliveries", outcome]:
            return Named("alert_deliveries", (("outcome", outcome),))
        case ["restarts", of]:
            return Named("restarts", (("process", of),))
    if count.startswith("forward_dropped_"):
        return Named("forward_dropped", (("reason", count.removeprefix("forward_dropped_")),))
    return Named("events", (("process", process), ("event", count)))


def exposition(statuses: Sequence[Status], up: dict[str, bool]) -> bytes:
    """Prometheus' text form of all that the processes said. `up`: process to whether it works."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Said(statuses, up))
    return generate_latest(registry)


class _Said:
    """A collector over what was said; asked once."""

    def __init__(self, statuses: Sequence[Status], up: dict[str, bool]) -> None:
        self._statuses = statuses
        self._up = up

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        counters: dict[str, CounterMetricFamily] = {}
        gauges: dict[str, GaugeMetricFamily] = {}
        for status in self._statuses:
            for count, number in status.counts.items():
                metric, labels = named(status.name, count)
                if metric not in counters:
                    label_names = [name for name, _ in labels]
                    counters[metric] = CounterMetricFamily(_PREFIX + metric, HELP[metric], labels=label_names)
                counters[metric].add_metric([value for _, value in labels], number)
            for gauge, value in status.gauges.items():
                if gauge in _GAUGES:
                    gauges[gauge] = GaugeMetricFamily(_PREFIX + gauge, HELP[gauge], value=value)
                    continue
                state = gauges.setdefault("state", _labelled("state", "process", "what"))
                state.add_metric([status.name, gauge], value)
        for process, works in self._up.items():
            gauges.setdefault("up", _labelled("up", "process")).add_metric([process], works)
        yield from counters.values()
        yield from gauges.values()


def _labelled(metric: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + metric, HELP[metric], labels=labels)
