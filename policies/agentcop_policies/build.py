"""What this build reads in a policy and does not enforce yet: take a line out when its part is built.

A key here never lets a call pass. `CALLS`: a call it covers that would otherwise run, or go to a person, is refused.
`SILENT`: covers no call; a warning at load.
"""

from __future__ import annotations

from typing import Final

CALLS: Final[dict[str, str]] = {
    "gate.flows": "the order of calls (flows)",
    "gate.limits": "counting calls, sums and tokens (limits)",
    "gate.taint": "tracking untrusted output (taint)",
    "gate.results": "redacting and cutting results (results)",
    "resolve": "handing the resolved value on (resolve: true)",
    "approvals.required": "approval by more than one person",
}
"""Key of the policy → what it needs, as the subject of "… is not in this build"."""

SILENT: Final[dict[str, str]] = {
    "monitor.sensitivity": "learning is not in this build; the detector scores nothing, and its fixed checks hold",
    "monitor.respond": "learning is not in this build; no anomaly tightens the gate",
}
"""Key of the policy → what does not happen."""
