"""Every way a gate has been walked round, tried on every adapter by every path that a call can take.

    python -m tests.fault_matrix                                    all environments, made if need be, and the table
    python -m tests.fault_matrix --here --environment langchain1    what this interpreter has

`holes` has one file for each hole, `adapters` one for each harness. A cell's verdict is what the tools' bodies say
they did, and nothing else; beside each trial stands its control, which shows that the body would have run.
"""

from __future__ import annotations

import sys
from pathlib import Path

_SUPPORT = str(Path(__file__).resolve().parents[1] / "support")
if _SUPPORT not in sys.path:
    sys.path.append(_SUPPORT)
