"""Who hears of a policy file that changed: gate.log, the program's own log, and the people whom the policy names."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from agentcop_core.alert import Alert
from agentcop_core.escape import shorten

if TYPE_CHECKING:
    from agentcop_policies import Policy
    from agentcop_policies.document.changes import Change
    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")
_NAMED: Final = 20
_LINE: Final = 300


def tell_replaced(gate: Gate, old: Policy, new: Policy, found: tuple[Change, ...]) -> None:
    """`new` is in force instead of `old`. Never raises."""
    loosened = [change.text for change in found if change.loosens]
    others = [change.text for change in found if not change.loosens]
    line = _line(gate, new, "loosened" if loosened else "replaced")
    line |= {"was": old.digest, "changes": "; ".join(_bounded(loosened + others))}
    gate.log_line(line, sync=True)
    if loosened:
        _log.warning("agentcop: the policy of %s was loosened: %s", gate.agent_id, "; ".join(_bounded(loosened)))
    else:
        _log.info("agentcop: the policy of %s was replaced: %s", gate.agent_id, "; ".join(_bounded(others)))
    alert = Alert(
        kind="policy_replaced",
        severity="high" if loosened else "low",
        agent_id=gate.agent_id,
        rule="policy.loosened" if loosened else "policy.replaced",
        reason="it may let more through than before" if loosened else "it lets nothing through that was stopped before",
        evidence=tuple(_bounded(loosened + others)),
        policy_version=new.version,
        environment=new.document.environment,
        time=time.time(),
    )
    # Those first who were told until now: the change may be that they no longer are.
    gate.pipeline.alerts.tell(alert, old, new)


def tell_kept(gate: Gate, policy: Policy, problems: tuple[str, ...]) -> None:
    """The file says something that is no policy; `policy` stays in force. Never raises."""
    line = _line(gate, policy, "kept")
    gate.log_line(line | {"problems": "; ".join(_bounded(problems))}, sync=True)
    said = "\n  ".join(_bounded(problems))
    _log.error("agentcop: the changed policy of %s is not taken, the last good one stays:\n  %s", gate.agent_id, said)
    alert = Alert(
        kind="policy_kept",
        severity="high",
        agent_id=gate.agent_id,
        rule="policy.kept",
        reason="the file was changed and is no policy now",
        evidence=tuple(_bounded(problems)),
        policy_version=policy.version,
        environment=policy.document.environment,
        time=time.time(),
    )
    gate.pipeline.alerts.tell(alert, policy)


def _line(gate: Gate, policy: Policy, outcome: str) -> dict[str, object]:
    return {
        "kind": "policy",
        "agent": gate.agent_id,
        "outcome": outcome,
        "policy": policy.version,
        "policy_digest": policy.digest,
        "mode": policy.document.mode,
        "file": policy.source,
    }


def _bounded(texts: list[str] | tuple[str, ...]) -> list[str]:
    shown = [shorten(text, _LINE) for text in texts[:_NAMED]]
    return [*shown, f"… +{len(texts) - _NAMED} more"] if len(texts) > _NAMED else shown
