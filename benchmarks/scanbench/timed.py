"""Times the scanner by itself: starting the interpreter and loading the rules is left out.

python benchmarks/scanbench/timed.py CACHE FOLDER...     CACHE: a folder that remembers results, or "" for none
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.rules import all_rules, version
from agentcop_scanner.scan import scan


def main(cache: str, *folders: str) -> None:
    """Prints the seconds of wall clock, and of the processor, that one process takes for all folders."""
    all_rules()
    version()
    options = ScanOptions(jobs=1, cache=Path(cache) if cache else None)
    wall, processor = time.perf_counter(), time.process_time()
    for folder in folders:
        scan([Path(folder)], options)
    print(time.perf_counter() - wall, time.process_time() - processor)


if __name__ == "__main__":
    main(*sys.argv[1:])
