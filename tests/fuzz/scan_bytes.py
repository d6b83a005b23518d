"""Gives the scanner bytes that a fuzzer makes, as Python, a notebook and each kind of data. It must take them all.

`scripts/test fuzz` runs it for a while; by hand: `python tests/fuzz/scan_bytes.py FOLDER -max_total_time=60`.
What breaks it is left in the working folder as `crash-…`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["agentcop_scanner"]):
    from agentcop_scanner.analysis import check
    from agentcop_scanner.engine.program import Program
    from agentcop_scanner.engine.tables import tables
    from agentcop_scanner.rule import TaintRule
    from agentcop_scanner.rules import all_rules
    from agentcop_scanner.source.disk.problem import UnreadError
    from agentcop_scanner.source.parsing import parsed

_PATHS = (
    ("a.py", "python"),
    ("a.ipynb", "notebook"),
    ("mcp.json", "document"),
    ("agents.yaml", "document"),
    ("pyproject.toml", "document"),
    ("AGENTS.md", "document"),
)
_CASES = Path(__file__).parents[1] / "scanner"
_TABLES = tables(rule for rule in all_rules() if isinstance(rule, TaintRule))


def one_input(raw: bytes) -> None:
    """Scans the bytes as a file of the kind that the first of them chooses. Raises for a fault of the scanner."""
    if not raw:
        return
    path, kind = _PATHS[raw[0] % len(_PATHS)]
    try:
        subject = parsed(raw[1:], path, kind)  # type: ignore[arg-type]  # the kinds are those of the table
    except UnreadError:
        return
    _, failed = check(subject, Program(_TABLES, lambda _: None))
    if failed:
        raise AssertionError(failed)


def seeds(folder: Path) -> None:
    """Writes the fixtures of the rules into a folder, a file each, for the fuzzer to begin with."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    for file in sorted(_CASES.rglob("*.cases")):
        for case in file.read_text(encoding="utf-8").split("%%% ")[1:]:
            head, _, body = case.partition("\n")
            path = head.split(" | ")[1].strip()
            at = next((at for at, (name, _) in enumerate(_PATHS) if path.endswith(Path(name).suffix)), 5)
            (folder / f"case{number}").write_bytes(bytes([at]) + body.encode())
            number += 1


if __name__ == "__main__":
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
