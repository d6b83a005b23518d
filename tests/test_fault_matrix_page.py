"""docs/fault-matrix.md is what the matrix says when no body has run; `scripts/test matrix` is what proves that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.fault_matrix.adapters import HARNESSES
from tests.fault_matrix.environments import ENVIRONMENTS
from tests.fault_matrix.harness import PATHS
from tests.fault_matrix.hole import Hole, Outcome, Trial
from tests.fault_matrix.holes import holes
from tests.fault_matrix.report import Cell, passed, read_json, totals, write_json
from tests.fault_matrix.run import carried_out, expected, planned
from tests.fault_matrix.table import page, text

if TYPE_CHECKING:
    from tests.fault_matrix.run import Planned

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/fault-matrix.md"


@pytest.fixture(scope="module")
def plan() -> list[Planned]:
    return list(planned(holes(), HARNESSES))


def test_the_page_is_current(plan: list[Planned]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(expected(plan)), (
        "write it again: python -m tests.fault_matrix --markdown docs/fault-matrix.md"
    )


def test_every_hole_of_the_design_has_a_cell_for_every_kind_of_agent_and_path(plan: list[Planned]) -> None:
    assert [hole.number for hole in holes()] == list(range(1, 23))
    assert len(plan) == 22 * len(HARNESSES) * len(PATHS)


def test_a_cell_that_cannot_exist_has_its_reason(plan: list[Planned]) -> None:
    for cell in expected(plan):
        assert bool(cell.not_applicable) != bool(cell.trials), cell


def test_every_environment_is_one_that_the_scripts_can_make() -> None:
    made = (ROOT / "scripts/_environment.sh").read_text(encoding="utf-8")
    for name in ENVIRONMENTS:
        assert f"    {name})" in made, name


def _carried_out(*outcomes: Outcome) -> list[Cell]:
    trials = [Trial(name=f"{number}", run=lambda each=each: each) for number, each in enumerate(outcomes)]  # type: ignore[misc]  # mypy does not infer a lambda's default
    hole = Hole(number=1, title="one", trials=lambda harness, path: trials)
    return carried_out([(hole, HARNESSES[0], "sync", trials)], lambda line: None)


def test_a_body_that_ran_is_counted_and_named_and_fails_the_matrix(tmp_path: Path) -> None:
    cells = _carried_out(Outcome(calls=3), Outcome(calls=3, bodies_run=2))
    assert (totals(cells)["bodies_run"], cells[0].ran, passed(cells)) == (2, ("1: 2 of 3 calls ran",), False)
    assert "2 bodies ran" in text(cells)


def test_a_trial_that_proves_nothing_fails_the_matrix() -> None:
    cells = _carried_out(Outcome(calls=0, error="the control proves nothing"))
    assert (totals(cells)["errors"], passed(cells)) == (1, False)


def test_a_trial_that_raises_is_an_error_of_its_cell() -> None:
    def raises() -> Outcome:
        raise RuntimeError("no framework")

    trial = Trial(name="t", run=raises)
    hole = Hole(number=1, title="one", trials=lambda harness, path: [trial])
    (cell,) = carried_out([(hole, HARNESSES[0], "sync", [trial])], lambda line: None)
    assert cell.errors == ("t: RuntimeError: no framework",)


def test_nothing_at_all_is_no_pass() -> None:
    assert not passed([])


def test_the_parts_of_several_environments_are_put_together_and_none_twice(tmp_path: Path, plan: list[Planned]) -> None:
    cells = expected(plan)
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    write_json([cell for cell in cells if cell.environment == "langchain1"], here)
    write_json([cell for cell in cells if cell.environment != "langchain1"], there)
    assert totals(read_json([here, there])) == totals(cells)
    assert page(read_json([here, there])) == page(cells)
    with pytest.raises(ValueError, match="twice"):
        read_json([here, here])
