"""The command line: try every probe in every engine that is here. Exit 1: something got out; 2: none is here."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.escape.found import NAMES, places, sockets
from tests.escape.places import Bare
from tests.escape.report import table, totals
from tests.escape.scene import Scene
from tests.escape.suite import bare_probes, probes, tried

if TYPE_CHECKING:
    from tests.escape.outcomes import Verdict
    from tests.escape.places import Place


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.escape", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the totals, and the evidence")
    parser.add_argument("--engine", nargs="*", choices=NAMES, default=NAMES, help="only these (default: all)")
    parser.add_argument("--baseline", action="store_true", help="beside them without a box, where that does no harm")
    parser.add_argument("--probe", nargs="*", default=["*"], metavar="PATTERN", help="only these, as 'network.*'")
    asked = parser.parse_args()
    here, missing = places(asked.engine)
    for name, why in missing.items():
        _say(f"{name} is not tried: {why}")
    everywhere: list[Place] = [*here, *([Bare()] if asked.baseline else [])]
    if not everywhere:
        return 2
    found: dict[str, list[Verdict]] = {}
    with Scene(sockets()) as scene:
        for place in everywhere:
            verdicts = found.setdefault(place.name, [])
            for probe in bare_probes() if place.name == "none" else probes():
                if any(fnmatch.fnmatch(probe.id, pattern) for pattern in asked.probe):
                    verdicts.append(tried(probe, place, scene))
                    _say(f"{place.name:<8} {verdicts[-1].seconds:6.1f} s  {probe.id}")
    if asked.json:
        asked.json.write_text(json.dumps(totals(found), indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(found))
    return int(any(each.bad for name, verdicts in found.items() if name != "none" for each in verdicts))


if __name__ == "__main__":
    sys.exit(main())
