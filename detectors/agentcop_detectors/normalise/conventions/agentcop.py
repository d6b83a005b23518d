"""AgentCop's own spans: what the gate decided, beside OpenTelemetry's names."""

from __future__ import annotations

from agentcop_core import attributes as names
from agentcop_detectors.normalise.conventions._interface import Convention

AGENTCOP = Convention(
    name="agentcop",
    keys={
        "agent": (names.COP_AGENT_ID,),
        "session_id": (names.COP_SESSION_ID,),
        "environment": (names.COP_ENVIRONMENT,),
        "verdict": (names.COP_VERDICT,),
        "rule": (names.COP_RULE,),
        "reason": (names.COP_REASON,),
        "decided_by": (names.COP_DECIDED_BY,),
        "mode": (names.COP_MODE,),
        "alert": (names.COP_ALERT,),
        "policy_digest": (names.COP_POLICY_DIGEST,),
        "policy_version": (names.COP_POLICY_VERSION,),
        "call_digest": (names.COP_CALL_DIGEST,),
        "log_head": (names.COP_LOG_HEAD,),
    },
)
