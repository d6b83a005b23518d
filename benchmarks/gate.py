"""What the gate costs, as ratios in one run: against a bare call, a bare span, and a peer's governed call.

    python benchmarks/gate.py [--json FILE] [--rounds N]

`scripts/bench` runs it in an environment that has the peer. All variants take turns in every round, so that a busy
moment hits each of them; a figure is the median over the rounds, its spread the quartiles. Definitions:

bare span     start_as_current_span, ten set_attribute calls, one no-op processor, no exporter
decision      Policy.decide alone; 20 rules are 17 names and 3 conditions, one of them on the tool called
gated call    a guarded function under those 20 rules: one execute_tool span, 200 bytes of arguments, chained gate.log
              on, signals off; its tool is allowed by name; "with condition": a tool that a condition holds at times
govern        agent-governance-toolkit-core 5.0.0, agentmesh.governance.govern, audit on
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

import growth
from imports import import_ratio
from peer import governed
from policies import call_of, policy_of

Variant = Callable[[], object]

NOTE = "n" * 150
_CALLS = 200
_THREADS = 8


def refund(order: str, amount: float, note: str, currency: str = "EUR") -> str:  # noqa: ARG001 -- a tool's arguments
    """The tool: does nothing, so that all the time is the gate's."""
    return order


def bare_call() -> object:
    """The floor."""
    return refund(order="o-1", amount=12.5, note=NOTE)


def bare_span(tracer: trace.Tracer) -> Variant:
    """What tracing alone costs."""

    def call() -> object:
        with tracer.start_as_current_span("execute_tool refund") as span:
            for number in range(10):
                span.set_attribute(f"bench.attribute.{number}", "value")
            return refund(order="o-1", amount=12.5, note=NOTE)

    return call


def gated(name: str, *, monitor: bool = False) -> tuple[Variant, Callable[[], dict[str, int]]]:
    """The whole trip through AgentCop under the name of one of the policy's tools, and its counters."""
    from agentcop import AgentCop

    cop = AgentCop(agent_id="bench", policy=policy_of(20).document.gate, monitor=monitor, scan=False)
    guarded = cop.tool(refund, name=name)

    def call() -> object:
        return guarded(order="o-1", amount=12.5, note=NOTE)

    return call, cop.counts


def sample(variant: Variant, calls: int = _CALLS) -> float:
    """Microseconds a call, over `calls` calls."""
    start = time.perf_counter_ns()
    for _ in range(calls):
        variant()
    return (time.perf_counter_ns() - start) / calls / 1_000


def interleaved(variants: dict[str, Variant], rounds: int) -> dict[str, dict[str, float]]:
    """Median and quartiles of each variant, which take turns in every round; the first round only warms up."""
    samples: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, variant in variants.items():
            taken = sample(variant)
            if number:
                samples[name].append(taken)
    return {name: spread(values) for name, values in samples.items()}


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": round(middle, 3), "q1": round(low, 3), "q3": round(high, 3)}


def threaded_rate(variant: Variant, calls: int = 1_500) -> float:
    """Calls a second over eight threads."""
    ready = threading.Barrier(_THREADS + 1)

    def work() -> None:
        ready.wait()
        for _ in range(calls):
            variant()

    threads = [threading.Thread(target=work) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return _THREADS * calls / (time.perf_counter() - start)


def decisions() -> dict[str, Variant]:
    """`decide` alone, at 20 and 500 rules spread over tools."""
    call, session = call_of(refund, NOTE)
    return {
        f"decision, {rules} rules": functools.partial(policy_of(rules).decide, call, session) for rules in (20, 500)
    }


def measure(rounds: int) -> dict[str, object]:
    """Every figure, in one run."""
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    trace.set_tracer_provider(provider)
    span = bare_span(provider.get_tracer("bench"))
    gate, counts = gated("allowed_0")
    asked, _ = gated("refund")
    peer = governed(refund, NOTE)
    variants = {"bare call": bare_call, "bare span": span, "gated call": gate, "with condition": asked}
    if peer is not None:
        variants["govern()"] = peer
    table = interleaved({**variants, **decisions()}, rounds)
    rates = {
        name: statistics.median(threaded_rate(variants[name]) for _ in range(max(1, rounds // 8)))
        for name in ("bare span", "gated call")
    }
    # Last, because its spans are written by a thread of their own, which would run beside whatever came after.
    watched, _ = gated("allowed_0", monitor=True)
    table["monitored"] = interleaved({"monitored": watched}, rounds)["monitored"]
    counted = counts()
    return {
        "by_processor": 1 - counted.get("decided_by_seam", 0) / counted["allowed"],
        "import_over_otel": import_ratio(max(2, rounds // 3)),
        "gated_over_span": _ratio(table, "gated call", "bare span"),
        "gated_condition_over_span": _ratio(table, "with condition", "bare span"),
        "gated_over_govern": _ratio(table, "gated call", "govern()") if peer is not None else None,
        "decision_us_20": table["decision, 20 rules"]["median"],
        "decision_us_500": table["decision, 500 rules"]["median"],
        "threads8_over_span": round(rates["gated call"] / rates["bare span"], 3),
        "growth": growth.growth(refund, max(4, rounds // 4)),
        "medians_us": table,
        "threads8_per_s": {name: round(rate) for name, rate in rates.items()},
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def _ratio(table: dict[str, dict[str, float]], one: str, other: str) -> float:
    return round(table[one]["median"] / table[other]["median"], 3)


TARGETS: dict[str, tuple[str, float]] = {
    "by_processor": ("=", 1.0),
    "import_over_otel": ("≤", 1.3),
    "gated_over_span": ("≤", 3.0),
    "gated_over_govern": ("≤", 1 / 3),
    "decision_us_20": ("≤", 10.0),
    "decision_us_500": ("≤", 25.0),
    "threads8_over_span": ("≥", 0.18),
}


def show(figures: dict[str, object]) -> None:
    """The table a person reads."""
    print(f"{'variant':<24}{'median µs':>12}{'quartiles':>20}")
    table: dict[str, dict[str, float]] = figures["medians_us"]  # type: ignore[assignment]  # made above
    for name, row in table.items():
        quartiles = f"{row['q1']:.1f} - {row['q3']:.1f}"
        print(f"{name:<24}{row['median']:>12.2f}{quartiles:>20}")
    rates: dict[str, int] = figures["threads8_per_s"]  # type: ignore[assignment]  # made above
    for name, rate in rates.items():
        print(f"{name + ', 8 threads, /s':<36}{rate:>10,}")
    growth.show(figures["growth"])  # type: ignore[arg-type]  # made above
    print()
    print(f"{'figure':<24}{'measured':>12}{'target':>12}")
    for name, (sign, target) in TARGETS.items():
        value = figures[name]
        shown = f"{value:.3f}" if isinstance(value, float) else "not run"
        print(f"{name:<24}{shown:>12}{f'{sign} {target:.3g}':>12}")
    if figures["gated_over_govern"] is None:
        print("govern() was not run: agent-governance-toolkit-core is not in this environment; use scripts/bench")


def main() -> None:
    """Measure, print, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description="What the gate costs, as ratios in one run.")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=40, help="how often the variants take turns (default: 40)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["AGENTCOP_HOME"] = home
        figures = measure(options.rounds)
    show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
