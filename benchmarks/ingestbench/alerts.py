"""How long an alert takes: from the end of a span in a real agent's process, and from its receipt, under load."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.frames import trace_ids
from agentcop_detectors.segments.tail import Tail
from ingestbench.clients import OverHttp, send_all
from ingestbench.load import batches

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from ingestbench.service import Service

_ALERT: Final = re.compile(r"refusal_storm: .*trace=([0-9a-f]{32})")
_AFTER: Final = 30.0


def alert_seconds(service: Service, *, runs: int, apart: float, rate: float) -> dict[str, float]:
    """95th percentiles over `runs` alarms while `rate` spans a second of other agents come in."""
    seen: dict[str, float] = {}
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(service.log, seen, over))
    watching.start()
    load = threading.Thread(target=_load, args=(service, rate, runs * apart + 2))
    load.start()
    alarms = _agent(service, runs, apart)
    load.join()
    deadline = time.monotonic() + _AFTER
    while alarms.keys() - seen.keys() and time.monotonic() < deadline:
        time.sleep(0.05)
    over.set()
    watching.join()
    missing = len(alarms.keys() - seen.keys())
    received = _received(service, alarms.keys())
    there = [trace for trace in alarms if trace in seen]
    return {
        "alert_p95_s": _p95([seen[trace] - alarms[trace] for trace in there]),
        "alert_median_s": round(statistics.median(seen[trace] - alarms[trace] for trace in there), 4),
        "alert_service_p95_s": _p95([seen[trace] - received[trace] for trace in there]),
        "alerts_missing": missing,
    }


def _p95(values: list[float]) -> float:
    return round(statistics.quantiles(values, n=20)[-1], 4)


def _load(service: Service, rate: float, seconds: float) -> None:
    load = batches(spans=int(rate * seconds), size=128, agents=100, seed=7)
    send_all(load, lambda: OverHttp(lambda: service.http), connections=2, rate=rate)


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


def _watch(log: Path, seen: dict[str, float], over: threading.Event) -> None:
    """When each alert was told: the service's log says it at the moment its channels get it."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        rest = ""
        while not over.is_set():
            rest += lines.read()
            *whole, rest = rest.split("\n")
            for line in whole:
                if found := _ALERT.search(line):
                    seen.setdefault(found[1], time.time())
            over.wait(0.002)


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
