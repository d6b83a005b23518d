"""What the start-up scan costs a program whose files did not change: `AgentCop(...)` and `wrap`, with it and without.

    python benchmarks/startup_scan.py [--json FILE] [--rounds N]

Each round starts one process of every variant, which takes the CPU time of its construction and `wrap` of twenty tools,
in a file of two thousand lines; a figure is the median over the rounds, its spread the quartiles. Imports of AgentCop
are done before, so that the difference is the scan's alone.

off        scan=False
cold       the first start: rules and parser are loaded, the files are scanned
unchanged  every later one: the files are hashed and the result is recalled
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

_TOOLS = "".join(f"def tool_{number}(text: str) -> str:\n    return text.strip()\n\n\n" for number in range(20))
_PADDING = "".join(f"NAME_{number} = ({number}, 'x')\n" for number in range(1_900))
_PROGRAM = """\
import sys, time
from agentcop import AgentCop, GatePolicy
import tools
AgentCop(agent_id="warm", policy=GatePolicy(default="allow"), scan=False).wrap({"print": lambda: None})
names = {name: value for name, value in vars(tools).items() if name.startswith("tool_")}
began = time.process_time()
AgentCop(agent_id="a", policy=GatePolicy(default="allow"), scan=SCAN).wrap(names)
print((time.process_time() - began) * 1_000)
"""


def milliseconds(folder: Path, *, scan: bool) -> float:
    """One process."""
    program = folder / "main.py"
    program.write_text(_PROGRAM.replace("SCAN", str(scan)), encoding="utf-8")
    environ = {**os.environ, "AGENTCOP_HOME": str(folder / "home")}
    done = subprocess.run(  # noqa: S603 -- made above
        [sys.executable, str(program)], env=environ, capture_output=True, text=True, check=True, cwd=folder
    )
    return float(done.stdout)


def measured(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each variant, a figure a round."""
    (folder / "tools.py").write_text(_TOOLS + _PADDING, encoding="utf-8")
    figures: dict[str, list[float]] = {"off": [], "cold": [], "unchanged": []}
    for _ in range(rounds):
        shutil.rmtree(folder / "home", ignore_errors=True)
        figures["cold"].append(milliseconds(folder, scan=True))
        figures["unchanged"].append(milliseconds(folder, scan=True))
        figures["off"].append(milliseconds(folder, scan=False))
    return figures


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), given.rounds)
    result = {}
    for name, values in figures.items():
        low, median, high = statistics.quantiles(values, n=4)
        result[name] = {"median_ms": round(median, 2), "quartiles_ms": [round(low, 2), round(high, 2)]}
        print(f"{name:10} {median:8.2f} ms   {low:.2f} to {high:.2f}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
