"""Something around the agent, or the tool, swallows the refusal and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call
from tests.fault_matrix.hole import Hole, Variant, cell
from tests.fault_matrix.holes.reading import BLOCKED, READ, both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.attempt import Ran
    from tests.fault_matrix.harness import Harness, Path
    from tests.fault_matrix.hole import Trial

_SEARCH = Call(tool="search", arguments={"query": "x"})


def _is_read(ran: Ran) -> bool:
    return ran.tool == "read_file"


def _variants(how: str) -> list[Variant]:
    """The blocked call is tried again; and, where a model was asked in between, another call is made."""
    name = how or "the agent itself"
    return [
        Variant(
            name=f"{name}, and tries again",
            tools=both,
            turns=[[READ[0][0]], [READ[0][0]]],
            gate=BLOCKED,
            forbidden=_is_read,
            options={"swallow": how},
        ),
        Variant(
            name=f"{name}, and does something else",
            tools=both,
            turns=[[READ[0][0]], [_SEARCH]],
            gate=BLOCKED,
            control=_is_read,
            needs=("a model",),
            options={"swallow": how},
        ),
    ]


def _trials(harness: Harness, path: Path) -> Sequence[Trial] | str:
    found = [each for how in harness.swallowers(path) for each in _variants(how)]
    if path == "parallel":  # calls of one turn have begun before any model is asked
        found = [each for each in found if each.control is None]
    return cell(found, harness, path)


HOLE = Hole(number=18, title="a wrapper swallows the refusal and goes on", trials=_trials)
