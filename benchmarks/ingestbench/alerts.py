"""How long an alert takes: from the end of a span in a real agent's process, and from its receipt, under load."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_detectors.normalise.frames import trace_ids
from agentcop_detectors.segments.tail import Tail
from ingestbench.clients import OverHttp, send_all
from ingestbench.load import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from ingestbench.load import Batch
    from ingestbench.service import Service

ALARMS: Final = 15
"""Of one service: each makes two messages, and a channel gets 32 in five minutes before the rest is rolled up."""
_AFTER: Final = 30.0
_KIND: Final = "refusal_storm"


class Alarm(NamedTuple):
    """Seconds since the epoch."""

    ended: float
    """The last span of the run, by the agent's clock."""
    received: float
    """That span, by the service's clock."""
    told: float
    """The alert, by the webhook's clock; 0: it never came."""


@contextmanager
def webhook() -> Iterator[tuple[Path, dict[str, float]]]:
    """A receiver of alerts: the file for `--alerts` that names it, and trace id to when its alert arrived."""
    seen: dict[str, float] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            now = time.time()
            alert = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if alert["kind"] == _KIND:
                seen.setdefault(alert["trace_id"], now)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="agentcop-alerts-") as folder:
        file = Path(folder) / "alerts.yaml"
        channel = f"{{type: webhook, url: 'http://127.0.0.1:{server.server_port}/'}}"
        monitor = f"monitor: {{max_alerts_per_day: 10000, alert_channels: [{channel}]}}"
        file.write_text(f"agent_id: bench\n{monitor}\ngate: {{allow: [look]}}\n", encoding="utf-8")
        try:
            yield file, seen
        finally:
            server.shutdown()
            server.server_close()


def alert_seconds(service: Service, seen: dict[str, float], *, runs: int, apart: float, rate: float) -> list[Alarm]:
    """What became of `runs` alarms while `rate` spans a second of other agents come in."""
    others = list(batches(spans=int(rate * (runs * apart + 2)), size=128, agents=100, seed=7))
    load = threading.Thread(target=_load, args=(service, others, rate))
    load.start()
    alarms = _agent(service, runs, apart)
    load.join()
    deadline = time.monotonic() + _AFTER
    while alarms.keys() - seen.keys() and time.monotonic() < deadline:
        time.sleep(0.05)
    received = _received(service, alarms.keys())
    return [Alarm(ended, received.get(trace, 0.0), seen.get(trace, 0.0)) for trace, ended in alarms.items()]


def in_figures(alarms: list[Alarm]) -> dict[str, float | None]:
    """The figures of all alarms."""
    told = [alarm for alarm in alarms if alarm.told]
    return {
        "alert_p95_s": _p95([alarm.told - alarm.ended for alarm in told]),
        "alert_service_p95_s": _p95([alarm.told - alarm.received for alarm in told]),
        "alerts": len(alarms),
        "alerts_missing": len(alarms) - len(told),
    }


def _p95(values: list[float]) -> float | None:
    if len(values) < 2:  # noqa: PLR2004 -- too few to say
        return None
    return round(statistics.quantiles(values, n=20)[-1], 4)


def _load(service: Service, others: Sequence[Batch], rate: float) -> None:
    send_all(others, lambda: OverHttp(lambda: service.http), connections=2, rate=rate)


def _agent(service: Service, runs: int, apart: float) -> dict[str, float]:
    """Trace id to when its last span ended, of the agent's runs."""
    with tempfile.TemporaryDirectory(prefix="agentcop-agent-") as home:
        environment = {
            **os.environ,
            "AGENTCOP_HOME": home,
            "AGENTCOP_OTLP_ENDPOINT": f"http://{service.http}",
            "PYTHONWARNINGS": "ignore",
        }
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, str(Path(__file__).with_name("agent.py")), str(runs), str(apart)],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    return {each["trace"]: each["ended"] for each in said}


def _received(service: Service, wanted: AbstractSet[str]) -> dict[str, float]:
    """When the last request about each of the traces was received, by the service's clock."""
    received: dict[str, float] = {}
    tail = Tail(service.home / "detector" / "segments")
    while frames := list(tail.frames(500)):
        for _, frame in frames:
            for trace in {each.hex() for each in trace_ids(frame)} & wanted:
                received[trace] = frame.received / 1e9
    tail.close()
    return received
