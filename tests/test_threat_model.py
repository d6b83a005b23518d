"""docs/threat-model.md is short, and each boundary's claim leads to a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "threat-model.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)]+)\)", PAGE)
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| **")]
BOUNDARIES = (
    "the model",
    "tool arguments",
    "tool output",
    "the agent's own code",
    "dependencies",
    "who starts the process",
    "the machine's other users",
    "the state folder",
    "the policy file",
    "the network",
)


def test_it_is_short() -> None:
    assert len(PAGE.splitlines()) < 200


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_what_it_leads_to_is_there(link: str) -> None:
    assert (DOCS / link).exists()


def test_every_boundary_has_a_row() -> None:
    assert [row[0].strip("| *") for row in ROWS] == list(BOUNDARIES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("| *"))
def test_what_the_gate_stops_there_is_shown_by_a_test_and_what_it_cannot_is_said(row: list[str]) -> None:
    _, stops, cannot, instead = row
    shown = re.findall(r"\]\(([^)]+)\)", stops)
    assert any("/test_" in link or "examples" in link for link in shown)
    assert cannot.strip()
    assert instead.strip("| ")
