"""A refusal makes the model try for ever, or takes the rest of the batch with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call
from tests.fault_matrix.hole import Hole, Variant, cell
from tests.fault_matrix.holes.reading import READ, both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.attempt import Ran
    from tests.fault_matrix.harness import Harness, Path
    from tests.fault_matrix.hole import Trial

_READ = READ[0][0]
_SEARCH = Call(tool="search", arguments={"query": "x"})
_GATE = {"allow": ["search"], "block": ["read_file"], "on_block": "return_message", "max_refusals": 3}


def _is_read(ran: Ran) -> bool:
    return ran.tool == "read_file"


def _is_search(ran: Ran) -> bool:
    return ran.tool == "search"


_SIBLINGS = Variant(
    name="siblings of a refused call",
    tools=both,
    turns=[[_SEARCH, _READ, _SEARCH]],
    gate=_GATE,
    forbidden=_is_read,
    still=_is_search,
)
_FOR_EVER = Variant(
    name="retried for ever",
    tools=both,
    turns=[[_READ]] * 12,
    gate=_GATE,
    forbidden=_is_read,
    at_least=12,
)
_HALTED = Variant(
    name="an allowed call after too many refusals",
    tools=both,
    turns=[*[[_READ]] * 3, [_SEARCH]],
    gate=_GATE,
    control=_is_read,
    needs=("a run",),
)


def _trials(harness: Harness, path: Path) -> Sequence[Trial] | str:
    # Calls of one turn have begun before the run is halted.
    return cell([_SIBLINGS, _FOR_EVER, *([] if path == "parallel" else [_HALTED])], harness, path)


HOLE = Hole(number=13, title="a refusal is retried for ever, or drops its siblings", trials=_trials)
