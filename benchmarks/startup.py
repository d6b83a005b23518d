"""What AgentCop costs an interpreter that has nothing to do with it: `python -c pass` with and without the `.pth` line.

    python benchmarks/startup.py [--json FILE] [--rounds N]

Each round starts one process of every variant, in shuffled order; a figure is the median CPU time (user and system)
over the rounds, its spread the quartiles. Two bare virtual environments are made for it, one with our packages and the
line.

without         no AgentCop in the environment
without, again  the same once more: how far two equal variants differ on this machine
unset           AgentCop installed, AGENTCOP_ENABLED not set
armed           AGENTCOP_ENABLED=1 and no framework imported: the import finder alone
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import agentcop
import agentcop_core

_LINE = Path(__file__).resolve().parents[1] / "packaging/agentcop.pth"
_BASE = "without"


def environment(folder: Path, *, installed: bool) -> Path:
    """The interpreter of a new virtual environment, with our line and the packages that it may load, or without."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    if installed:
        shutil.copy(_LINE, site_packages)
        for package in (agentcop, agentcop_core):
            source = Path(str(package.__file__)).parent
            shutil.copytree(source, site_packages / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(site_packages, quiet=2)
    return folder / "bin/python"


def cpu_ms(python: Path, variables: dict[str, str]) -> float:
    """CPU milliseconds of one `python -c pass`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python, "-c", "pass"], check=True, env={**_CLEAN, **variables})  # noqa: S603 -- made above
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1_000


_CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTCOP_", "PYTHON"))}


def measure(rounds: int) -> dict[str, object]:
    """Every figure, in one run."""
    with tempfile.TemporaryDirectory() as made:
        bare = environment(Path(made, "bare"), installed=False)
        ours = environment(Path(made, "ours"), installed=True)
        variants: dict[str, tuple[Path, dict[str, str]]] = {
            _BASE: (bare, {}),
            "without, again": (bare, {}),
            "unset": (ours, {}),
            "armed": (ours, {"AGENTCOP_ENABLED": "1", "AGENTCOP_HOME": made}),
        }
        samples: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(rounds + 1):
            for name in random.sample(list(variants), len(variants)):
                taken = cpu_ms(*variants[name])
                if number:
                    samples[name].append(taken)
    medians = {name: statistics.median(values) for name, values in samples.items()}
    return {
        "ratios": {name: round(value / medians[_BASE], 3) for name, value in medians.items()},
        "cpu_ms": {
            name: dict(zip(("q1", "median", "q3"), map(_short, statistics.quantiles(values, n=4)), strict=True))
            for name, values in samples.items()
        },
        "rounds": rounds,
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def _short(value: float) -> float:
    return round(value, 3)


def show(figures: dict[str, object]) -> None:
    """The table a person reads."""
    ratios: dict[str, float] = figures["ratios"]  # type: ignore[assignment]  # made above
    table: dict[str, dict[str, float]] = figures["cpu_ms"]  # type: ignore[assignment]  # made above
    print(f"{'python -c pass':<18}{'CPU ms':>9}{'quartiles':>16}{'ratio':>8}")
    for name, row in table.items():
        quartiles = f"{row['q1']:.1f} - {row['q3']:.1f}"
        print(f"{name:<18}{row['median']:>9.1f}{quartiles:>16}{ratios[name]:>8.2f}")


def main() -> None:
    """Measure, print, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description="What AgentCop costs an interpreter that does not use it.")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=100, help="how often the variants take turns (default: 100)")
    options = parser.parse_args()
    figures = measure(options.rounds)
    show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
