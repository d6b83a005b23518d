"""From a block to the people that the policy names. Telemetry: nothing here can hold up or change a verdict."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import INVALID_SPAN, format_trace_id

from agentcop_core import attributes as names
from agentcop_core.alert import Alert
from agentcop_core.locks import IMPORTING
from agentcop_core.toolcall import Arguments, ToolCall
from agentcop_processor.gate import live_gates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opentelemetry.trace import Span

    from agentcop_alerts.channels import Route
    from agentcop_alerts.sender import AlertSender
    from agentcop_core.verdict import Verdict
    from agentcop_policies import Policy
    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")

_LOUD: Final = frozenset({"raise_and_alert", "alert"})
_SHOWN: Final = 4_000
_NAME: Final = 300
_NAMES: Final = 50


class Alerting:
    """The alerts of one pipeline. Thread-safe; no method blocks on the network or raises.

    agentcop_alerts is imported when the first policy with a channel arrives; without one nothing is paid.
    """

    def __init__(self, home: Path) -> None:
        """`home`: the state folder; alerts wait in its folder `alerts`."""
        self._folder = home / "alerts"
        self._sender: AlertSender | None = None
        self._routes: dict[str, Route] = {}

    def arm(self, policy: Policy) -> None:
        """Be ready for blocks, and send what an earlier process left for the channels of `policy`."""
        try:
            if _has_channels(policy):
                self._sender_now().arm(self._route(policy))
        except Exception:
            _log.exception("agentcop: alerts of an earlier process could not be taken up")

    def blocked(self, call: ToolCall, verdict: Verdict, redacted: bytes, trace_id: str, policy: Policy) -> bool:
        """Tell of a block, or of what would have been one; whether a channel is sent to from this process.

        `redacted`: the call's canonical arguments after the redactor. `trace_id`: 32 hex digits, or "".
        """
        try:
            if verdict.decision != "block" or verdict.on_block not in _LOUD or not _has_channels(policy):
                return False
            if verdict.rule == "run.blocked":  # the block before it was told of; this is its consequence
                return False
            alert = _alert(call, verdict, redacted, trace_id, policy)
            return self._sender_now().submit(alert, self._route(policy))
        except Exception:
            _log.exception("agentcop: an alert about %s could not be made", call.tool)
            return False

    def tell(self, alert: Alert, *policies: Policy) -> None:
        """Send `alert` to the channels of these policies, each channel once."""
        try:
            told: set[str] = set()
            for policy in policies:
                if not _has_channels(policy):
                    continue
                route = self._route(policy)
                targets = tuple(target for target in route.targets if target.key not in told)
                told.update(target.key for target in targets)
                if targets:
                    self._sender_now().submit(alert, replace(route, targets=targets))
        except Exception:
            _log.exception("agentcop: an alert about the policy of %s could not be made", alert.agent_id)

    def drain(self, seconds: float = 2.0) -> bool:
        """Send what can be sent now; False if that takes longer."""
        return self._sender is None or self._sender.drain(seconds)

    def close(self, seconds: float) -> None:
        """Send what can be sent within `seconds`; the rest waits on the disk. Ends the threads."""
        if self._sender is not None:
            self._sender.close(seconds)

    def _sender_now(self) -> AlertSender:
        if self._sender is None:
            with IMPORTING:
                from agentcop_alerts.sender import AlertSender

            self._sender = AlertSender(self._folder)
        return self._sender

    def _route(self, policy: Policy) -> Route:
        route = self._routes.get(policy.digest)
        if route is None:
            with IMPORTING:
                from agentcop_alerts.channels import route_of

            route = self._routes[policy.digest] = route_of(policy.document.monitor)
        return route


def alert_of_block(call: ToolCall, verdict: Verdict, *, gate: Gate, span: Span) -> None:
    """Tell the people that the policy names of this block, and mark its span if that is done from here. Never raises.

    Call it once a verdict, before the span ends, enforced or observed.
    """
    try:
        if verdict.decision != "block" or verdict.on_block not in _LOUD:
            return
        policy = _decider(verdict, gate).policy
        if not _has_channels(policy):
            return
        pipeline = gate.pipeline
        redacted = pipeline.redactor.redact_json(call.arguments.canonical, call.arguments.plain)
        context = span.get_span_context()
        trace_id = format_trace_id(context.trace_id) if context.is_valid else ""
        if pipeline.alerts.blocked(call, verdict, redacted, trace_id, policy):
            span.set_attribute(names.COP_ALERT, "agent")
    except Exception:
        _log.exception("agentcop: a block of %s could not be told of", call.tool)


def alert_of_fault(tool: str, verdict: Verdict, gate: Gate) -> None:
    """Tell of a call that was blocked because the gate failed before there was a call to judge. Never raises."""
    nothing = Arguments(values={}, plain={}, canonical=b"{}")
    call = ToolCall(tool=tool, arguments=nothing, digest="", agent_id=gate.agent_id, at=time.time())
    alert_of_block(call, verdict, gate=gate, span=INVALID_SPAN)


def _decider(verdict: Verdict, gate: Gate) -> Gate:
    """The gate whose policy decided: of several that judged, not always the nearest."""
    if verdict.policy_digest == gate.policy.digest:
        return gate
    return next((each for each in live_gates() if each.policy.digest == verdict.policy_digest), gate)


def _has_channels(policy: Policy) -> bool:
    monitor = policy.document.monitor
    return monitor is not None and bool(monitor.alert_channels)


def _alert(call: ToolCall, verdict: Verdict, redacted: bytes, trace_id: str, policy: Policy) -> Alert:
    monitor = policy.document.monitor
    hidden = monitor is not None and monitor.content == "none"
    return Alert(
        kind="block" if verdict.mode == "enforce" else "would_block",
        severity="high",
        agent_id=verdict.agent_id,
        tool=_cut(call.tool, _NAME),
        rule=verdict.rule,
        at=verdict.at,
        reason=_cut(verdict.reason, _SHOWN),
        arguments=_cut(_outline(call.arguments.plain, call.digest) if hidden else redacted.decode(), _SHOWN),
        session_id=_cut(call.session_id, _NAME),
        trace_id=trace_id,
        call_id=_cut(call.call_id, _NAME),
        policy_version=verdict.policy_version,
        environment=policy.document.environment,
        time=call.at,
    )


def _outline(plain: Mapping[str, object], digest: str) -> str:
    """Of each argument its name, type and length: all that `monitor.content: none` lets out."""
    shown = [_sized(name, value) for name, value in list(plain.items())[:_NAMES]]
    more = f" … +{len(plain) - _NAMES}" if len(plain) > _NAMES else ""
    return f"{', '.join(shown)}{more}; call digest {digest}"


def _sized(name: str, value: object) -> str:
    kind = "null" if value is None else type(value).__name__
    return f"{name}: {kind}({len(value)})" if isinstance(value, str | list | dict) else f"{name}: {kind}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… +{len(text) - limit}"
