"""Measures the scanner on a labelled corpus, beside bandit, ruff's S rules and semgrep, and prints a table.

    scripts/bench scan --corpus DIR [--trees DIR] [--json FILE] [--misses]

The corpus: a table of labels in CSV with the columns `id, path_in_archive, line, weakness_class, severity,
fixed_version`, and three folders of source, `vulnerable`, `fixed` and `clean`, in `--trees`, in AGENTCOP_CORPUS_DIR or
in ~/.cache/agentcop-corpus. Findings of MEDIUM and up count; ruff gives no severity, so all of its do. semgrep runs
only where AGENTCOP_SEMGREP_RULES names a folder of rules. Nothing of the corpus is run.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scanbench.corpus import Corpus, Label
from scanbench.figures import Figures, figures
from scanbench.tools import Tool, tools

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS = {"id", "path_in_archive", "line", "weakness_class", "severity", "fixed_version"}
_TREES = ("vulnerable", "fixed", "clean")


def _labels(folder: Path) -> list[Label]:
    """The labels in the folder's table. Exits if there is none."""
    for table in sorted(folder.glob("*.csv")):
        with table.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if set(rows.fieldnames or ()) >= _COLUMNS:
                return [Label.of(row) for row in rows]
    sys.exit(f"no table of labels in {folder}: a CSV with the columns {', '.join(sorted(_COLUMNS))}")


def _trees(given: Path | None, corpus: Path) -> Path:
    """The folder with the source. Exits if it is not there."""
    named = os.environ.get("AGENTCOP_CORPUS_DIR")
    places = [given] if given else [Path(named) if named else Path.home() / ".cache/agentcop-corpus", corpus]
    for place in places:
        if all((place / tree).is_dir() for tree in _TREES):
            return place.resolve()
    sys.exit(f"no folders {', '.join(_TREES)} in {places[0]}: fetch the corpus first")


def _print_table(measured: dict[str, Figures]) -> None:
    names = list(measured)
    print(f"{'':28}" + "".join(f"{name:>12}" for name in names))
    for title, cells in Figures.rows(list(measured.values())):
        print(f"{title:28}" + "".join(f"{cell:>12}" for cell in cells))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the JSON if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--corpus", type=Path, required=True, help="folder with the table of labels")
    parser.add_argument("--trees", type=Path, help="folder with vulnerable, fixed and clean")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--misses", action="store_true", help="list what agentcop missed or did not tell apart")
    chosen = parser.parse_args(arguments)
    corpus = Corpus(_trees(chosen.trees, chosen.corpus), _labels(chosen.corpus))
    measured: dict[str, Figures] = {}
    not_run: dict[str, str] = {}
    room = Path(tempfile.mkdtemp(prefix="agentcop-bench-"))
    try:
        for tool in tools(room):
            _measure(tool, corpus, measured, not_run)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    _print_table(measured)
    for name, why in not_run.items():
        print(f"{name}: not run, {why}")
    if chosen.misses and "agentcop" in measured:
        print(*measured["agentcop"].misses, sep="\n")
    if chosen.json:
        made: dict[str, object] = {name: one.as_json() for name, one in measured.items()}
        made["not_run"] = not_run
        chosen.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def _measure(tool: Tool, corpus: Corpus, measured: dict[str, Figures], not_run: dict[str, str]) -> None:
    if tool.missing:
        not_run[tool.name] = tool.missing
        return
    found = {tree: tool.scan(corpus.root / tree) for tree in _TREES}
    measured[tool.name] = figures(corpus, found, tool.seconds, tool.timed([corpus.root / tree for tree in _TREES]))


if __name__ == "__main__":
    main()
