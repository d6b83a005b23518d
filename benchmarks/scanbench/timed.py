"""Times the scanner by itself, in a process of its own: seconds for all trees cold, and again when nothing has changed.

python benchmarks/scanbench/timed.py FOLDER...
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.rules import all_rules, version
from agentcop_scanner.scan import scan


def main(folders: list[Path]) -> None:
    """Prints the two figures as JSON. One process; starting the interpreter and loading the rules is not counted."""
    all_rules()
    version()
    with tempfile.TemporaryDirectory(prefix="agentcop-bench-") as room:
        seconds = {name: _all(folders, cache) for name, cache in _turns(Path(room))}
    print(json.dumps({"cold": seconds["cold"], "warm": seconds["warm"]}))


def _turns(room: Path) -> list[tuple[str, Path | None]]:
    return [("cold", None), ("filling", room), ("warm", room)]


def _all(folders: list[Path], cache: Path | None) -> float:
    started = time.perf_counter()
    for folder in folders:
        scan([folder], ScanOptions(jobs=1, cache=cache))
    return time.perf_counter() - started


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
