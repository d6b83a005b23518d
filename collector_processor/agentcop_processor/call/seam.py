"""The trip of one tool call up to its body: freeze, judge, log. No verdict, no call.

passage = admit("refund", {"amount": 900}, gates)    # raises ToolBlocked
values = passage.enter()
try:
    result = body(**values)
except BaseException as error:
    passage.failed(error)
    raise
passage.returned(result)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.trace import format_trace_id

from agentcop_core import attributes as names
from agentcop_core.errors import PolicyBlocked, ToolBlocked
from agentcop_processor.alerting import alert_of_block, alert_of_fault
from agentcop_processor.call.own_rules import answering, own_verdict
from agentcop_processor.call.passage import Passage, active_passage
from agentcop_processor.call.records import decision_line, tool_attributes, verdict_attributes
from agentcop_processor.call.refusals import refuse
from agentcop_processor.call.request import frozen_call, unread_call
from agentcop_processor.call.slot import SLOT, Slot, judge
from agentcop_processor.call.ungoverned import let_pass
from agentcop_processor.judges import judges
from agentcop_processor.runs import current_run
from agentcop_processor.sessions import current_session

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from opentelemetry.trace import Span

    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.call.approving import Held
    from agentcop_processor.call.own_rules import OwnRule
    from agentcop_processor.call.passage import Transport
    from agentcop_processor.gate import Gate
    from agentcop_processor.runs import Run

_log = logging.getLogger("agentcop")


def admit(  # noqa: PLR0913 -- as `admission`
    tool: str,
    arguments: Mapping[str, object],
    registered: tuple[Gate, ...],
    *,
    owner: object = None,
    way: str = "",
    call_id: str = "",
    live: Collection[str] = (),
    unfit: str = "",
    transport: Transport | None = None,
) -> Passage | None:
    """As `admission`, and blocks this thread while a person is asked."""
    admitted = admission(
        tool,
        arguments,
        registered,
        owner=owner,
        way=way,
        call_id=call_id,
        live=live,
        unfit=unfit,
        transport=transport,
    )
    return admitted if admitted is None or isinstance(admitted, Passage) else admitted.wait()


def admission(  # noqa: PLR0913 -- the call, who answers for it, and where it came in
    tool: str,
    arguments: Mapping[str, object],
    registered: tuple[Gate, ...],
    *,
    owner: object = None,
    way: str = "",
    call_id: str = "",
    live: Collection[str] = (),
    unfit: str = "",
    transport: Transport | None = None,
) -> Passage | Held | None:
    """A passage to the body, or None where nobody governs the call (counted). Raises ToolBlocked; nothing else.

    A call that needs a person's yes comes back as `Held`: waiting is the caller's, who knows how it can wait.
    `arguments` by name, bound and defaulted; `registered` are the gates of this tool object; `owner` and `way` (its
    method) tell one call that comes through two methods of one object from two calls; arguments named in `live` are
    shared with the caller rather than copied. `unfit` says why no policy can let it run; `transport`, that it is on
    its way to a server: the call around it, if it is the same, has been judged.
    """
    run = current_run()
    gates = judges(registered, run)
    if not gates:
        let_pass(tool)
        return None
    try:
        return _admit(
            tool,
            arguments,
            gates,
            run,
            owner=owner,
            way=way,
            call_id=call_id,
            live=live,
            unfit=unfit,
            transport=transport,
        )
    except ToolBlocked:
        raise
    except Exception as error:
        _log.exception("agentcop: the gate failed at %s", tool)
        raise _failed(tool, answering(gates), run, error) from None


def _failed(tool: str, gate: Gate, run: Run | None, error: Exception) -> PolicyBlocked:
    """The refusal of a call that the gate could not judge, counted, logged and marked on the run."""
    reason = f"the gate failed before it could judge ({type(error).__name__})"
    verdict = own_verdict("gate.error", reason, gate=gate)
    session = current_session() or gate.session
    call = unread_call(tool, agent_id=gate.agent_id, session_id=session.id, run_id=run.id if run is not None else "")
    gate.count("blocked")
    gate.log_line(decision_line(call, verdict, ""))
    blocked = PolicyBlocked(tool=call.tool, reason=reason, verdict=verdict)
    alert_of_fault(blocked.tool, verdict, gate)
    if run is not None:
        run.refused(blocked, sticky=True)
    return blocked


def _admit(  # noqa: PLR0913 -- as `admit`
    tool: str,
    arguments: Mapping[str, object],
    gates: tuple[Gate, ...],
    run: Run | None,
    *,
    owner: object,
    way: str,
    call_id: str,
    live: Collection[str],
    unfit: str,
    transport: Transport | None,
) -> Passage | Held:
    gate = gates[-1]
    max_argument = _max_argument(gates)
    session = current_session() or gate.session
    call, unfrozen = frozen_call(
        tool,
        arguments,
        live=live,
        max_bytes=max_argument,
        agent_id=gate.agent_id,
        session_id=session.id,
        run_id=run.id if run is not None else "",
        call_id=call_id,
    )
    unfit = unfrozen or unfit
    outer = active_passage()
    if outer is not None and not unfit:
        if outer.carries(call, owner, way):
            return outer.continued(call, way)
        if transport is not None and outer.transports(call, gates, way, transport):
            return outer.transported(call, way, owner)
    slot = Slot(call, gates, session)
    if run is not None and run.halted:
        _decide_here(slot, "run.blocked", "this run was blocked by an earlier call")
    elif unfit:
        # It may quote an argument's name, which a caller chose.
        _decide_here(slot, "gate.arguments", gate.pipeline.redactor.redact_text(unfit))
    span, verdict = _judged(slot, gate)
    verdict, head = _log_decision(call, verdict, gates, span)
    span.set_attributes(verdict_attributes(verdict, head))
    if verdict.stops:
        if verdict.decision == "require_approval":
            from agentcop_processor.call.approving import Held  # brings asyncio: not before there is something to ask

            return Held(
                call=call,
                verdict=verdict,
                max_argument=max_argument,
                owner=owner,
                ways=frozenset((way,)),
                gates=gates,
                session=session,
                run=run,
                span=span,
                decision=head,
            )
        raise refuse(call, verdict, gate=gate, session=session, run=run, span=span)
    if verdict.decision == "block":
        alert_of_block(call, verdict, gate=gate, span=span)
    gate.count("allowed" if verdict.decision == "allow" else "observed")
    return Passage(
        call=call,
        verdict=verdict,
        values=arguments if unfit else call.arguments.values,
        max_argument=max_argument,
        owner=owner,
        ways=frozenset((way,)),
        gates=gates,
        session=session,
        run=run,
        span=span,
        decision=head,
    )


def _judged(slot: Slot, gate: Gate) -> tuple[Span, Verdict]:
    """The call's span and the verdict that holds, whether or not a span processor saw the span."""
    call = slot.call
    was_open = slot.state == "open"
    token = SLOT.set(slot)
    try:
        attributes = tool_attributes(call, gate.policy.document.environment)
        span = gate.pipeline.spans.start(f"execute_tool {call.tool}", attributes)
    finally:
        SLOT.reset(token)
    judge(slot, "seam")
    verdict = slot.verdict or own_verdict(
        "gate.error", "no policy gave a verdict", gate=answering(slot.gates), call=call
    )
    if was_open and verdict.decided_by == "seam":
        gate.count("decided_by_seam")
        if any(each.policy.document.gate.strict for each in slot.gates):
            reason = "the span pipeline is broken and gate.strict is set"
            verdict = own_verdict("gate.strict", reason, gate=answering(slot.gates), call=call)
    return span, verdict


def _max_argument(gates: tuple[Gate, ...]) -> int:
    if len(gates) == 1:
        return gates[0].policy.document.gate.max_argument
    return min(gate.policy.document.gate.max_argument for gate in gates)


def _decide_here(slot: Slot, rule: OwnRule, reason: str) -> None:
    slot.verdict = own_verdict(rule, reason, gate=answering(slot.gates), call=slot.call)
    slot.state = "judged"


def _log_decision(call: ToolCall, verdict: Verdict, gates: tuple[Gate, ...], span: Span) -> tuple[Verdict, str]:
    """Write the decision before anything runs; where that fails the verdict is a block, unless the policy waives it."""
    gate = gates[-1]
    pipeline = gate.pipeline
    redacted = pipeline.redactor.redact_json(call.arguments.canonical, call.arguments.plain)
    gate.keep_arguments(span, call, redacted)
    if pipeline.captures_content:
        span.set_attribute(names.TOOL_CALL_ARGUMENTS, redacted.decode())
    context = span.get_span_context()
    line = decision_line(call, verdict, format_trace_id(context.trace_id) if context.is_valid else "")
    try:
        return verdict, str(pipeline.log.append(line, raw_args=redacted, sync=verdict.stops))
    except OSError as error:
        gate.count("log_failures")
        _log.exception("agentcop: gate.log cannot be written")
        if verdict.stops or all(each.policy.document.gate.log_failure == "allow" for each in gates):
            return verdict, ""
        reason = f"gate.log cannot be written ({error.strerror or type(error).__name__})"
        return own_verdict("gate.log_failure", reason, gate=answering(gates), call=call), ""
