"""Span and attribute names, pinned in one place.

`gen_ai.*` and `mcp.*` are OpenTelemetry's semantic conventions, still in "Development": the strings are pinned here
rather than taken from a package whose names move under us.
"""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "1"
"""Version of our own attributes; a reader accepts its own and both neighbours."""

SCOPE: Final = "agentcop"
"""Instrumentation scope of the spans that AgentCop starts."""

OPERATION: Final = "gen_ai.operation.name"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_ID: Final = "gen_ai.agent.id"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
ERROR_TYPE: Final = "error.type"

EXECUTE_TOOL: Final = "execute_tool"
INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"

COP_SCHEMA: Final = "agentcop.schema"
COP_AGENT_ID: Final = "agentcop.agent.id"
COP_SESSION_ID: Final = "agentcop.session.id"
COP_ENVIRONMENT: Final = "agentcop.environment"
COP_VERDICT: Final = "agentcop.verdict"
COP_RULE: Final = "agentcop.rule"
COP_REASON: Final = "agentcop.reason"
COP_DECIDED_BY: Final = "agentcop.decided_by"
COP_MODE: Final = "agentcop.mode"
COP_ALERT: Final = "agentcop.alert"
COP_POLICY_DIGEST: Final = "agentcop.policy.digest"
COP_POLICY_VERSION: Final = "agentcop.policy.version"
COP_CALL_DIGEST: Final = "agentcop.call.digest"
COP_LOG_HEAD: Final = "agentcop.gate.log.head"
COP_APPROVAL_ID: Final = "agentcop.approval.id"
COP_APPROVAL_OUTCOME: Final = "agentcop.approval.outcome"
COP_APPROVAL_BY: Final = "agentcop.approval.by"
COP_SANDBOX_MODE: Final = "agentcop.sandbox.mode"
COP_SANDBOX_ENGINE: Final = "agentcop.sandbox.engine"
COP_SANDBOX_FALLBACK: Final = "agentcop.sandbox.fallback"
COP_EGRESS_REFUSED: Final = "agentcop.sandbox.egress.refused"
COP_EGRESS_REACHED: Final = "agentcop.sandbox.egress.reached"
COP_EGRESS_UNLISTED: Final = "agentcop.sandbox.egress.unlisted"
COP_APPROVED_LOCALLY: Final = "agentcop.approval.approved_locally"
