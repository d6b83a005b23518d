"""Every other way in: each entry point of each path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.fault_matrix.hole import Hole, Trial, Variant
from tests.fault_matrix.holes.reading import BLOCKED, READ, read_file
from tests.fault_matrix.scene import tried

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.harness import Harness, Path, Way

_LOUD = Variant(name="raised", tools=read_file, turns=READ, gate=BLOCKED)
_QUIET = Variant(name="refused", tools=read_file, turns=READ, gate={**BLOCKED, "on_block": "return_message"})


def _trial(variant: Variant, harness: Harness, name: str, way: Way) -> Trial:
    return Trial(name=f"{name}, {variant.name}", run=lambda: tried(variant, harness, way))


def _trials(harness: Harness, path: Path) -> Sequence[Trial] | str:
    ways = harness.ways[path]
    if not isinstance(ways, Mapping):
        return ways
    return [_trial(variant, harness, name, way) for name, way in ways.items() for variant in (_LOUD, _QUIET)]


HOLE = Hole(number=9, title="other entry points", trials=_trials)
