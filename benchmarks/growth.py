"""How a gated call's cost grows: with rules, with the size of its arguments, with threads, with processes on one log.

Each row is a ratio, so that it says the same on any machine: to the smallest of its kind, or to a bare span.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import threading
import time
from typing import TYPE_CHECKING

from policies import policy_of

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = (20, 100, 500, 2_000)
SIZES = (200, 2_000, 20_000, 200_000)
THREADS = (1, 2, 4, 8)
PROCESSES = (1, 2, 4)
_CALLS = 400
_SECONDS = 1.0


def growth(tool: Callable[..., object], rounds: int) -> dict[str, dict[str, float]]:
    """Each kind to its rows: `rules` and `bytes` as cost over the smallest; `threads`, `processes` as rate over one."""
    call = _guarded(tool)
    return {
        "rules": _costs({str(rules): _guarded(tool, rules=rules) for rules in RULES}, rounds),
        "bytes": _costs({str(size): _guarded(tool, size=size) for size in SIZES}, rounds),
        "threads": _relative({str(number): _rate(call, number) for number in THREADS}),
        "processes": _relative({str(number): _processes(tool, number) for number in PROCESSES}),
    }


def show(found: dict[str, dict[str, float]]) -> None:
    """The rows, a line a kind."""
    words = {
        "rules": "cost with rules, over 20",
        "bytes": "cost with bytes of arguments, over 200",
        "threads": "calls a second with threads, over 1",
        "processes": "calls a second with processes on one log, over 1",
    }
    print()
    for kind, rows in found.items():
        print(f"{words[kind]:<50}{'  '.join(f'{name}: {ratio:.2f}' for name, ratio in rows.items())}")


def _guarded(tool: Callable[..., object], *, rules: int = 20, size: int = 200) -> Callable[[], object]:
    from agentcop import AgentCop

    cop = AgentCop(agent_id="bench", policy=policy_of(rules).document.gate, monitor=False, scan=False)
    guarded = cop.tool(tool, name="allowed_0")
    note = "n" * (size - 50)
    return lambda: guarded(order="o-1", amount=12.5, note=note)


def _costs(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Medians over rounds in which all take turns, so that a busy moment hits each of them."""
    samples: dict[str, list[int]] = {name: [] for name in calls}
    for number in range(rounds * 4 + 1):
        for name, call in calls.items():
            start = time.perf_counter_ns()
            for _ in range(_CALLS // 16):
                call()
            if number:
                samples[name].append(time.perf_counter_ns() - start)
    return _relative({name: statistics.median(taken) for name, taken in samples.items()})


def _rate(call: Callable[[], object], number: int) -> float:
    ready = threading.Barrier(number + 1)

    def work() -> None:
        ready.wait()
        for _ in range(_CALLS):
            call()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return number * _CALLS / (time.perf_counter() - start)


def _processes(tool: Callable[..., object], number: int) -> float:
    """Calls a second of so many processes that write one gate.log, each counting its own for a second."""
    start = multiprocessing.get_context("fork")
    go, counted = start.Event(), start.Queue()

    def work() -> None:
        call = _guarded(tool)
        call()
        go.wait()
        until, calls = time.perf_counter() + _SECONDS, 0
        while time.perf_counter() < until:
            call()
            calls += 1
        counted.put(calls)
        counted.close()
        counted.join_thread()
        os._exit(0)

    workers = [start.Process(target=work) for _ in range(number)]
    for worker in workers:
        worker.start()
    time.sleep(0.5 * number)
    go.set()
    calls: int = sum(counted.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    return calls / _SECONDS


def _relative(rows: dict[str, float]) -> dict[str, float]:
    first = next(iter(rows.values()))
    return {name: round(value / first, 3) for name, value in rows.items()}
