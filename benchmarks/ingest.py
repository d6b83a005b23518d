"""What the detector takes, in one run: spans a second of CPU, memory, the time to an alert, and what is lost.

    scripts/bench ingest [--json FILE] [--rounds N] [--only PART ...]

The service is the real one, `agentcop detector` with all its processes, checks and its database (SQLite); clients send
from this process, whose CPU does not count. Definitions:

spans_per_s_core        spans over the CPU-seconds of front and scorer together, from the first request until the last
                        span is scored and stored; OTLP/HTTP, protobuf, batches of 512; a span has about 850 bytes
spans_per_s_core_small  the same over OTLP/gRPC in batches of 5
alert_p95_s             from the end of the last span in an agent's process, under its own gate, to the arrival
                        of the alert at a webhook, beside half of the load that was taken over HTTP
alert_service_p95_s     the part of it after the receipt of that span
acknowledged_lost       spans that were acknowledged while front and scorer were killed, and are in no run
rss_mb_by_agents        memory of all processes (PSS) after that many agents sent a run each, or ten thousand runs
phoenix_spans_per_s_core  Arize Phoenix, its server alone, on the first of the batches of 512
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, func, select

from agentcop_detectors.store.tables import RUNS
from ingestbench.alerts import ALARMS, alert_seconds, in_figures, webhook
from ingestbench.clients import OverGrpc, OverHttp, send_all
from ingestbench.load import batches
from ingestbench.phoenix import phoenix_rate
from ingestbench.service import service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestbench.alerts import Alarm
    from ingestbench.load import Batch
    from ingestbench.service import Service

LARGE, SMALL = 512, 5
AGENTS: Final = (1, 1_000, 100_000)
_FEWEST_RUNS: Final = 10_000
_PHOENIX_BATCHES: Final = 8
_RATE: Final = 5_000.0
"""Spans a second beside the alarms, where no throughput was measured."""

TARGETS: Final[dict[str, tuple[str, float]]] = {
    "spans_per_s_core": ("≥", 50_000),
    "spans_per_s_core_small": ("≥", 15_000),
    "alert_p95_s": ("≤", 2.0),
    "alert_service_p95_s": ("≤", 0.1),
    "acknowledged_lost": ("=", 0),
    "rss_mb_100000": ("≤", 400),
}


def throughput(load: Sequence[Batch], *, grpc: bool) -> dict[str, float]:
    """One service, all of the load."""
    with service() as running:
        time.sleep(1.0)  # it has just started
        before = running.cpu()
        begun = time.monotonic()
        if grpc:
            spans, refused = send_all(load, lambda: OverGrpc(lambda: running.grpc), connections=16)
        else:
            spans, refused = send_all(load, lambda: OverHttp(lambda: running.http), connections=4)
        running.scored(spans)
        seconds = time.monotonic() - begun
        used = {name: cpu - before[name] for name, cpu in running.cpu().items()}
    return {
        "spans_per_s_core": round(spans / sum(used.values())),
        "spans_per_s": round(spans / seconds),
        "front_us": round(used["front"] / spans * 1e6, 2),
        "scorer_us": round(used["scorer"] / spans * 1e6, 2),
        "refused": refused,
    }


def memory(agents: int) -> float:
    """Megabytes after so many agents sent a run of two spans each."""
    with service() as running:
        load = batches(spans=2 * max(agents, _FEWEST_RUNS), size=LARGE, agents=agents, run=2)
        spans, _ = send_all(load, lambda: OverHttp(lambda: running.http), connections=2)
        running.scored(spans)
        return round(running.memory(), 1)


def lost(load: Sequence[Batch]) -> int:
    """Acknowledged spans that are in no run after the front and the scorer were killed under load."""
    with service() as running:
        killer = threading.Thread(target=_kill, args=(running,))
        killer.start()
        spans, _ = send_all(load, lambda: OverHttp(lambda: running.http), connections=2, rate=10_000)
        killer.join()
        url = f"sqlite:///{running.home / 'detector' / 'detector.db'}"
        engine = create_engine(url)

        def stored() -> int:
            with engine.connect() as connection:
                return int(connection.execute(select(func.coalesce(func.sum(RUNS.c.steps), 0))).scalar_one())

        deadline = time.monotonic() + 120
        while stored() < spans and time.monotonic() < deadline:
            time.sleep(0.1)
        found = stored()
        engine.dispose()
    return spans - found


def _kill(running: Service) -> None:
    for name in ("scorer", "front", "scorer", "front"):
        time.sleep(1.0)
        running.kill(name)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Every figure that was asked for, in one run."""
    figures: dict[str, Any] = {"load_before": os.getloadavg()[0], "cores": os.cpu_count()}
    parts = set(options.only or ("large", "small", "alerts", "lost", "memory", "phoenix"))
    load = list(batches(spans=options.spans, size=LARGE, agents=100)) if parts & {"large", "lost", "phoenix"} else []
    if "large" in parts:
        _rounds(figures, "", load, options.rounds, grpc=False)
    if "phoenix" in parts:
        rate, why = phoenix_rate(load[:_PHOENIX_BATCHES])
        figures["phoenix_spans_per_s_core"] = round(rate) if rate is not None else None
        figures["phoenix_not_run"] = why
    if "small" in parts:
        small = list(batches(spans=options.spans // 4, size=SMALL, agents=100))
        _rounds(figures, "_small", small, options.rounds, grpc=True)
    if "alerts" in parts:
        rate = options.rate or _half(figures)
        alarms: list[Alarm] = []
        for _ in range(options.rounds):
            with webhook() as (file, seen), service("--alerts", str(file)) as running:
                alarms += alert_seconds(running, seen, runs=ALARMS, apart=0.7, rate=rate)
        figures |= in_figures(alarms) | {"alert_load_per_s": rate}
    if "lost" in parts:
        figures["acknowledged_lost"] = lost(load)
    if "memory" in parts:
        figures["rss_mb_by_agents"] = {str(agents): memory(agents) for agents in options.agents}
        figures["rss_mb_100000"] = figures["rss_mb_by_agents"].get("100000")
    figures |= {"load_after": os.getloadavg()[0], "python": sys.version.split()[0]}
    return figures


def _half(figures: dict[str, Any]) -> float:
    """Half of the spans a second that this machine, as busy as it is, took in the rounds over HTTP."""
    rounds = figures.get("rounds")
    return statistics.median(each["spans_per_s"] for each in rounds) / 2 if rounds else _RATE


def _rounds(figures: dict[str, Any], suffix: str, load: Sequence[Batch], rounds: int, *, grpc: bool) -> None:
    found = [throughput(load, grpc=grpc) for _ in range(rounds)]
    figures[f"spans_per_s_core{suffix}"] = statistics.median(each["spans_per_s_core"] for each in found)
    figures[f"rounds{suffix}"] = found


def show(figures: dict[str, Any]) -> None:
    """The table a person reads."""
    for suffix, title in (("", "HTTP, batches of 512"), ("_small", "gRPC, batches of 5")):
        for row in figures.get(f"rounds{suffix}", ()):
            print(f"{title:<22}" + "  ".join(f"{name} {value:,}" for name, value in row.items()))
    for agents, megabytes in figures.get("rss_mb_by_agents", {}).items():
        print(f"{int(agents):>9,} agents{megabytes:>10.1f} MB")
    print(f"load of the machine: {figures['load_before']:.1f} before, {figures['load_after']:.1f} after")
    print()
    print(f"{'figure':<28}{'measured':>12}{'target':>12}")
    for name, (sign, target) in TARGETS.items():
        value = figures.get(name)
        print(f"{name:<28}{_shown(value):>12}{f'{sign} {target:,}':>12}")
    print(f"{'phoenix_spans_per_s_core':<28}{_shown(figures.get('phoenix_spans_per_s_core')):>12}")
    if why := figures.get("phoenix_not_run"):
        print(f"Phoenix was not run: {why}")


def _shown(value: float | None) -> str:
    if value is None:
        return "not run"
    return f"{value:,.3f}" if abs(value) < 10 and value != int(value) else f"{value:,.0f}"  # noqa: PLR2004 -- digits


def main() -> None:
    """Measure, print, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description="What the detector takes, beside Arize Phoenix.")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=3, help="of throughput and alerts; the median counts")
    parser.add_argument("--spans", type=int, default=60_000, help="of a round (a quarter in batches of 5)")
    parser.add_argument("--rate", type=float, help="spans a second beside the alarms (default: half load)")
    parser.add_argument("--agents", type=int, nargs="*", default=list(AGENTS), help="numbers of agents for the memory")
    parser.add_argument("--only", nargs="*", choices=["large", "small", "alerts", "lost", "memory", "phoenix"])
    options = parser.parse_args()
    figures = measure(options)
    show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
