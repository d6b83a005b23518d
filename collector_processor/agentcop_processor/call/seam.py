"""The trip of one tool call up to its body: freeze, judge, log. No verdict, no call.

passage = admit("refund", {"amount": 900}, gates)    # raises ToolBlocked
values = passage.enter()
try:
    passage.started()
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
from agentcop_core.errors import ToolBlocked
from agentcop_core.locks import IMPORTING
from agentcop_core.verdict import strictest
from agentcop_processor.alerting import alert_of_block
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.call.passage import Passage, active_passage
from agentcop_processor.call.records import decision_line, tool_attributes, verdict_attributes
from agentcop_processor.call.refusals import refuse
from agentcop_processor.call.request import frozen_call
from agentcop_processor.call.slot import SLOT, Slot, judge
from agentcop_processor.call.unjudged.faults import failed
from agentcop_processor.call.unjudged.ungoverned import let_pass
from agentcop_processor.judges import answering, judges, seated
from agentcop_processor.protected import led_to, led_to_unread
from agentcop_processor.runs import current_run
from agentcop_processor.sandbox.boxing import Boxed, Boxing, ordered
from agentcop_processor.sessions import current_session

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from opentelemetry.trace import Span

    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.call.approving import Held
    from agentcop_processor.call.own_rules import OwnRule
    from agentcop_processor.call.transport import Transport
    from agentcop_processor.gate import Gate
    from agentcop_processor.judges import Seat
    from agentcop_processor.runs import Run
    from agentcop_processor.sandbox.boxing import Ship

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
    ship: Ship | None = None,
) -> Passage | None:
    """As `admission`, and blocks this thread while a person is asked or a box is made."""
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
        ship=ship,
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
    ship: Ship | None = None,
) -> Passage | Held | Boxing | None:
    """A passage to the body; None where nobody governs the call, or only observes it and failed (both counted).

    Raises ToolBlocked; nothing else but what interrupts the thread.

    A call that needs a person's yes comes back as `Held`, one that needs a box as `Boxing`: waiting is the caller's,
    who knows how it can wait. Where the passage has a `box`, the caller runs the body there and nowhere else.
    `arguments` by name, bound and defaulted; `registered` are the gates of this tool object; `owner` and `way` (its
    method) tell one call that comes through two methods of one object from two calls; arguments named in `live` are
    shared with the caller rather than copied. `unfit` says why no policy can let it run; `transport`, that it is on
    its way to a server: the call around it, if it is the same, has been judged. `ship`: how the tool is made in a box;
    without it a call that needs one is refused.
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
            ship=ship,
        )
    except ToolBlocked:
        raise
    except Exception as error:
        if (blocked := failed(tool, gates, run, error)) is not None:
            raise blocked from None
        return None


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
    ship: Ship | None,
) -> Passage | Held | Boxing:
    bench = seated(gates)
    gate = gates[-1]
    max_argument = _max_argument(bench)
    session = current_session() or gate.session
    call, unfrozen = frozen_call(
        tool,
        arguments,
        live=live,
        max_bytes=max_argument,
        agent_id=gate.agent_id,
        session_id=session.id,
        run_id=run.id if run is not None else "",
        call_id=gate.pipeline.redactor.redact_text(call_id),
    )
    unfit = unfrozen or unfit
    outer = active_passage()
    if outer is not None and not unfit:
        if outer.carries(call, owner, way):
            return outer.continued(call, way)
        if transport is not None and outer.transports(call, gates, way, transport):
            return outer.transported(call, way, owner)
    slot = Slot(call, bench, session)
    counted = run if run is not None else gate.only_run()
    if led := led_to_unread(arguments) if unfrozen else led_to(call.arguments):
        _decide_here(slot, "gate.protected", gate.pipeline.redactor.redact_text(led))
    elif counted is not None and counted.halted:
        _decide_here(slot, "run.blocked", "this run was blocked by an earlier call")
    elif unfit:
        # It may quote an argument's name, which a caller chose.
        _decide_here(slot, "gate.arguments", gate.pipeline.redactor.redact_text(unfit))
    span, verdict = _judged(slot)
    order, verdict = (
        ordered(call, verdict, bench, ship) if any(seat.policy.document.sandbox for seat in bench) else (None, verdict)
    )
    verdict, head = _log_decision(call, verdict, bench, span)
    span.set_attributes(verdict_attributes(verdict, head))
    if verdict.stops:
        if verdict.decision == "require_approval":
            with IMPORTING:  # it brings asyncio: not before there is something to ask
                from agentcop_processor.call.approving import Held

            return Held(
                call=call,
                verdict=verdict,
                max_argument=max_argument,
                owner=owner,
                ways=frozenset((way,)),
                bench=bench,
                session=session,
                run=run,
                span=span,
                decision=head,
                ship=ship,
            )
        raise refuse(call, verdict, gate=gate, session=session, run=run, span=span)
    if verdict.decision == "block":
        alert_of_block(call, verdict, gate=gate, span=span)
    gate.count("allowed" if verdict.decision == "allow" else "observed")
    boxed = Boxed(order, gate.pipeline.home) if order is not None else None
    passage = Passage(
        call=call,
        verdict=verdict,
        values=arguments if unfit else call.arguments.values,
        max_argument=max_argument,
        owner=owner,
        ways=frozenset((way,)),
        bench=bench,
        session=session,
        run=run,
        span=span,
        decision=head,
        box=boxed,
    )
    return passage if boxed is None else Boxing(passage, boxed)


def _judged(slot: Slot) -> tuple[Span, Verdict]:
    """The call's span and the verdict that holds, whether or not a span processor saw the span."""
    call = slot.call
    was_open = slot.state == "open"
    gate, policy = slot.bench[-1]
    token = SLOT.set(slot)
    try:
        attributes = tool_attributes(call, policy.document.environment)
        span = gate.pipeline.spans.start(f"execute_tool {call.tool}", attributes)
    finally:
        SLOT.reset(token)
    judge(slot, "seam")
    verdict = slot.verdict or own_verdict(
        "gate.error", "no policy gave a verdict", seat=answering(slot.bench), call=call
    )
    if was_open and verdict.decided_by == "seam":
        gate.count("decided_by_seam")
        if strict := tuple(seat for seat in slot.bench if seat.policy.document.gate.strict):
            reason = "the span pipeline is broken and gate.strict is set"
            verdict = strictest((verdict, own_verdict("gate.strict", reason, seat=answering(strict), call=call)))
    return span, verdict


def _max_argument(bench: tuple[Seat, ...]) -> int:
    if len(bench) == 1:
        return bench[0].policy.document.gate.max_argument
    return min(seat.policy.document.gate.max_argument for seat in bench)


def _decide_here(slot: Slot, rule: OwnRule, reason: str) -> None:
    slot.verdict = own_verdict(rule, reason, seat=answering(slot.bench), call=slot.call)
    slot.state = "judged"


def _log_decision(call: ToolCall, verdict: Verdict, bench: tuple[Seat, ...], span: Span) -> tuple[Verdict, str]:
    """Write the decision before anything runs; where that fails the verdict is a block, unless the policy waives it."""
    gate = bench[-1].gate
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
        if verdict.stops or all(each.policy.document.gate.log_failure == "allow" for each in bench):
            return verdict, ""
        reason = f"gate.log cannot be written ({error.strerror or type(error).__name__})"
        return own_verdict("gate.log_failure", reason, seat=answering(bench), call=call), ""
