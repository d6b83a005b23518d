"""The command line: run, merge, and write the table. Exit 1 if a body ran or a cell proves nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fault_matrix.adapters import HARNESSES
from tests.fault_matrix.environments import everywhere
from tests.fault_matrix.holes import holes
from tests.fault_matrix.junit import write_junit
from tests.fault_matrix.report import passed, read_json, write_json
from tests.fault_matrix.run import carried_out, planned, surroundings
from tests.fault_matrix.table import page, text


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fault_matrix", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the totals and every cell")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page of the documentation")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write one test case a cell")
    parser.add_argument("--merge", type=Path, nargs="+", metavar="FILE", help="read these instead of running")
    parser.add_argument("--here", metavar="ENVIRONMENT", help="run what belongs to this environment, in this process")
    parser.add_argument("--hole", type=int, nargs="*", help="only these")
    parser.add_argument("--adapter", nargs="*", help="only these kinds of agent")
    parser.add_argument("--path", nargs="*", help="only these paths")
    parser.add_argument("--quiet", action="store_true", help="say nothing while it runs")
    return parser.parse_args()


def _chosen(asked: argparse.Namespace) -> list[str]:
    """The arguments that choose cells, for another interpreter."""
    chosen = {"--hole": asked.hole, "--adapter": asked.adapter, "--path": asked.path}
    return [word for option, values in chosen.items() if values for word in (option, *map(str, values))]


def main() -> int:
    """Run what is asked for."""
    asked = _arguments()
    say = (lambda line: None) if asked.quiet else _say
    if asked.merge:
        cells = read_json(asked.merge)
    elif asked.here:
        harnesses = [each for each in HARNESSES if each.environment == asked.here]
        plan = [
            each
            for each in planned(holes(), harnesses)
            if (not asked.hole or each[0].number in asked.hole)
            and (not asked.adapter or each[1].name in asked.adapter)
            and (not asked.path or each[2] in asked.path)
        ]
        with surroundings():
            cells = carried_out(plan, say)
    else:
        cells = everywhere(say, _chosen(asked))
    if asked.json:
        write_json(cells, asked.json)
    if asked.markdown:
        asked.markdown.write_text(page(cells), encoding="utf-8")
    if asked.junit:
        write_junit(cells, asked.junit)
    sys.stdout.write(text(cells))
    return 0 if passed(cells) else 1


if __name__ == "__main__":
    sys.exit(main())
