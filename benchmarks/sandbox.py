"""What a box costs, as ratios to a bare `python3 -c pass` in the same run, on each engine that is here.

    scripts/bench sandbox [--json FILE] [--rounds N]

All variants take turns in every round, each when the machine is quiet or has not been for 1.5 s; a figure is the median
over the rounds, beside it the quartiles. Definitions:

bare            subprocess of this interpreter, `-c pass`, to its end
cold            from nothing to the result of `operator.add` in a new box: start, probe, load, call
warm            the call alone, in a box that waits with the tool loaded
refill          start, probe and load: what the pool does in the background for each call
pool hit        a whole call by the runner, its box from the pool
overshoot       how much later than its deadline of 0.5 s a call of `time.sleep` ends at its caller; cold: from nothing
idle            PSS of the processes in a box that waits; around it: the engine's shim or monitor, or bubblewrap
llm-sandbox     0.3.46 on Docker, on the same image with a link named `python`: `SandboxSession`, `run("print(5)")`;
                cold opens a session first; without its set-up of an environment, which needs a network

warm_ratio, the overshoots and idle_mb are the worst of the engines, container_cold_ratio is the worse of Docker and
Podman; each engine's own figures stand beside them. Where llm-sandbox cannot do a thing, the table says so: it has no
pool in which a loaded tool waits, and its time-out kills the container, which is not measured.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.boxes.runner import Runner
from sandboxbench.boxes import ADD, Boxes, engines
from sandboxbench.memory import idle
from sandboxbench.peer import Peer
from sandboxbench.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Variants = dict[str, "Callable[[], float]"]

TARGETS: Final[dict[str, float]] = {
    "warm_ratio": 0.3,
    "process_cold_ratio": 2.0,
    "container_cold_ratio": 10.0,
    "overshoot_warm_ms": 100.0,
    "overshoot_cold_ms": 1000.0,
}
_CONTAINERS: Final = ("docker", "podman")


def bare() -> float:
    """The floor."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def interleaved(variants: Variants, rounds: int) -> tuple[dict[str, list[float]], int]:
    """Milliseconds of each in every round, whose order turns; and how often the machine was not quiet before one."""
    taken: dict[str, list[float]] = {name: [] for name in variants}
    order = list(variants)
    for variant in variants.values():
        variant()  # the first of each finds nothing in the machine's caches
    busy = 0
    for number in range(rounds):
        shift = number % len(order)
        for name in order[shift:] + order[:shift]:
            busy += not quiet()
            taken[name].append(variants[name]() * 1000)
    return taken, busy


def quartiles(times: list[float]) -> tuple[float, float, float]:
    """The lower one, the median and the upper one."""
    lower, median, upper = statistics.quantiles(times, n=4, method="inclusive")
    return round(lower, 2), round(median, 2), round(upper, 2)


def measure(rounds: int, home: Path) -> dict[str, object]:
    """Every figure, in one run."""
    here = engines()
    boxes = {name: Boxes(name, engine) for name, (engine, _) in here.items()}
    variants: Variants = {"bare": bare}
    memory: dict[str, object] = {}
    closing: list[Callable[[], None]] = []
    for name, each in boxes.items():
        os.environ["DOCKER_HOST"] = here[name][1]
        runner = Runner(home / name)
        closing.append(runner.close)
        runner.lease(each.settings, ADD, "bench").close()
        variants |= {
            f"{name} cold": each.cold,
            f"{name} warm": each.warm,
            f"{name} refill": each.refill,
            f"{name} pool hit": each.pool_hit(runner),
            f"{name} overshoot warm": each.overshoot_warm,
            f"{name} overshoot cold": each.overshoot_cold,
        }
        waiting = each.ready()
        time.sleep(0.5)  # until it has loaded the tool
        memory[name] = idle(here[name][0], waiting.box.link)
        waiting.box.close()
    absent = ""
    try:
        peer = Peer(here["docker"][1], boxes["docker"].settings.image)
        variants |= {"llm-sandbox cold": peer.cold, "llm-sandbox warm": peer.warm}
        closing.append(peer.close)
    except KeyError:
        absent = "no Docker answers here"
    except OSError as error:
        absent = str(error)
    try:
        taken, busy = interleaved(variants, rounds)
    finally:
        for close in closing:
            close()
    spread = {name: quartiles(times) for name, times in taken.items()}
    table = {name: median for name, (_, median, _) in spread.items()}
    return {
        **_figures(table, list(boxes), memory),
        "medians_ms": table,
        "quartiles_ms": {name: [lower, upper] for name, (lower, _, upper) in spread.items()},
        "busy": [busy, sum(map(len, taken.values()))],
        "idle": memory,
        "peer_absent": absent,
    }


def _figures(table: Mapping[str, float], names: list[str], memory: Mapping[str, object]) -> dict[str, object]:
    def ratio(name: str) -> float:
        return round(table[name] / table["bare"], 3)

    containers = [name for name in names if name in _CONTAINERS]
    sizes = [each["box"] for each in memory.values() if isinstance(each, dict)]
    return {
        "warm_ratio": max(ratio(f"{name} warm") for name in names),
        "process_cold_ratio": ratio("process cold"),
        "container_cold_ratio": max((ratio(f"{name} cold") for name in containers), default=None),
        "overshoot_warm_ms": max(table[f"{name} overshoot warm"] for name in names),
        "overshoot_cold_ms": max(table[f"{name} overshoot cold"] for name in names),
        "idle_mb": max(sizes, default=None),
        "ratios": {name: ratio(name) for name in table if "overshoot" not in name},
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def show(figures: Mapping[str, object]) -> None:
    """The table a person reads."""
    table: Mapping[str, float] = figures["medians_ms"]  # type: ignore[assignment]  # made above
    spread: Mapping[str, list[float]] = figures["quartiles_ms"]  # type: ignore[assignment]  # made above
    print(f"{'variant':<28}{'median ms':>12}{'quartiles':>20}{'of bare':>10}")
    for name, value in table.items():
        lower, upper = spread[name]
        shown = "" if "overshoot" in name else f"{value / table['bare']:.2f}"
        print(f"{name:<28}{value:>12.1f}{f'{lower:.1f} to {upper:.1f}':>20}{shown:>10}")
    counts: list[int] = figures["busy"]  # type: ignore[assignment]  # made above
    busy, count = counts
    if busy:
        print(f"{busy} of {count} times the machine was busy with something else before")
    memory: Mapping[str, Mapping[str, float] | None] = figures["idle"]  # type: ignore[assignment]  # made above
    for name, sizes in memory.items():
        said = "not told by the kernel" if sizes is None else ", ".join(f"{part} {mb} MB" for part, mb in sizes.items())
        print(f"{name + ' idle':<28}{said}")
    if figures["peer_absent"]:
        print(f"llm-sandbox was not run: {figures['peer_absent']}")
    print(f"\n{'figure':<28}{'measured':>12}{'target':>12}")
    for name, target in TARGETS.items():
        measured = figures[name]
        if isinstance(measured, float):
            print(f"{name:<28}{measured:>12.3f}{f'≤ {target:g}':>12}{'' if measured <= target else '  missed'}")
        else:
            print(f"{name:<28}{'not run':>12}{f'≤ {target:g}':>12}")
    print(f"{'idle_mb':<28}{figures['idle_mb']!s:>12}")


def main() -> None:
    """Measure, print, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description="What a box costs, as ratios in one run.")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--rounds", type=int, default=15, help="how often the variants take turns, at least 2 (default: 15)"
    )
    options = parser.parse_args()
    if options.rounds < 2:  # noqa: PLR2004 -- quartiles need two
        parser.error("--rounds must be at least 2")
    logging.getLogger("agentcop").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as home:
        figures = measure(options.rounds, Path(home))
    show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
