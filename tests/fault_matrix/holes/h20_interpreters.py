"""An interpreter, or an install, in which the `.pth` file does not run."""

from __future__ import annotations

from tests.fault_matrix.children import trials_in
from tests.fault_matrix.hole import Hole

_PROGRAMS = ["python -I", "python -S", "another interpreter, packages by PYTHONPATH"]
HOLE = Hole(
    number=20,
    title="an interpreter in which the .pth does not run",
    trials=lambda harness, path: trials_in(_PROGRAMS, harness, path),
)
