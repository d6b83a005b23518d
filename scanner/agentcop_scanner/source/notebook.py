"""The code of a Jupyter notebook, with the line of the file that each line stands on."""

from __future__ import annotations

import re

from agentcop_scanner.source.data import NotDataError, read_json
from agentcop_scanner.source.disk.problem import UnreadError

_MAGIC = re.compile(r"^\s*(%%?|!|\?)")
_OTHER_LANGUAGE = re.compile(r"^\s*%%(?!time|timeit|capture|prun|python|python3|py)\w+")


def code_of(text: str) -> tuple[str, tuple[int, ...]]:
    """The code cells in order, magics as comments; and per line its line in the file. Raises UnreadError."""
    try:
        data = read_json(text)
    except NotDataError as error:
        raise UnreadError("unparsable", str(error)) from error
    cells = data.value.get("cells") if isinstance(data.value, dict) else None
    if not isinstance(cells, list):
        raise UnreadError("unparsable", "has no cells")
    lines: list[str] = []
    numbers: list[int] = []
    for index, cell in enumerate(cells):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        whole = isinstance(source, str)
        parts = source.split("\n") if isinstance(source, str) else source if isinstance(source, list) else []
        if parts and _OTHER_LANGUAGE.match(str(parts[0])):
            continue
        for number, part in enumerate(parts):
            line = str(part).rstrip("\n")
            indent = line[: len(line) - len(line.lstrip())]
            # pass, so that a block of nothing but magics is still a block
            lines.append(f"{indent}pass  # {line.strip()}" if _MAGIC.match(line) else line.replace("\n", " "))
            keys = ("cells", index, "source") if whole else ("cells", index, "source", number)
            numbers.append(data.lines.get(keys, 1))
    return "\n".join(lines) + "\n", tuple(numbers)
