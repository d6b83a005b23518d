"""A child process starts without whatever armed its parent."""

from __future__ import annotations

from tests.fault_matrix.children import trials_in
from tests.fault_matrix.hole import Hole

HOLE = Hole(
    number=14,
    title="a child process starts without the gate",
    trials=lambda harness, path: trials_in(["fork", "spawn", "forkserver", "subprocess"], harness, path),
)
