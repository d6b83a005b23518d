"""The cells as pytest would count them, for the closing table of scripts/test."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.fault_matrix.report import Cell


def write_junit(cells: Sequence[Cell], path: Path) -> None:
    """One test case a cell that was tried; one that cannot exist is no test, and is counted nowhere."""
    tried = [cell for cell in cells if not cell.not_applicable]
    failed = sum(cell.bodies_run > 0 for cell in tried)
    broken = sum(bool(cell.errors) and cell.bodies_run == 0 for cell in tried)
    suite = ET.Element(
        "testsuite", name="fault matrix", tests=f"{len(tried)}", failures=f"{failed}", errors=f"{broken}", skipped="0"
    )
    for cell in tried:
        case = ET.SubElement(
            suite, "testcase", classname=f"{cell.environment}.{cell.adapter}", name=f"hole {cell.hole}, {cell.path}"
        )
        if cell.bodies_run:
            ET.SubElement(case, "failure", message="; ".join(cell.ran))
        elif cell.errors:
            ET.SubElement(case, "error", message="; ".join(cell.errors))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
