"""Tools that run at the model's provider: no call of theirs passes here, so they are judged when they are offered.

What a policy says about the name holds; a condition can read the tool's configuration and nothing else, and none of
its calls can be shown to a person. Allowed, it is the provider's from there on.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, format_trace_id

from agentcop_core.errors import ToolBlocked
from agentcop_processor.alerting import alert_of_block
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.call.records import decision_line
from agentcop_processor.call.refusals import refuse
from agentcop_processor.call.request import frozen_call
from agentcop_processor.call.slot import Slot, judge
from agentcop_processor.call.unjudged.faults import failed
from agentcop_processor.call.unjudged.ungoverned import let_pass
from agentcop_processor.judges import answering, judges, seated
from agentcop_processor.runs import current_run
from agentcop_processor.sessions import current_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.gate import Gate
    from agentcop_processor.judges import Seat
    from agentcop_processor.runs import Run

_log = logging.getLogger("agentcop")


def judge_offer(tool: str, configuration: Mapping[str, object]) -> None:
    """Raise ToolBlocked unless a model may be offered this tool; nothing else is raised.

    Each time is judged; the log has a line about the first in a run, and about each change.
    """
    run = current_run()
    gates = judges((), run)
    if not gates:
        let_pass(tool)
        return
    try:
        _judge(tool, configuration, gates, run)
    except ToolBlocked:
        raise
    except Exception as error:
        if (blocked := failed(tool, gates, run, error)) is not None:
            raise blocked from None


def _judge(tool: str, configuration: Mapping[str, object], gates: tuple[Gate, ...], run: Run | None) -> None:
    bench = seated(gates)
    gate = gates[-1]
    session = current_session() or gate.session
    call, unfit = frozen_call(
        tool,
        configuration,
        live=(),
        max_bytes=min(each.policy.document.gate.max_argument for each in bench),
        agent_id=gate.agent_id,
        session_id=session.id,
        run_id=run.id if run is not None else "",
        call_id="",
    )
    slot = Slot(call, bench, session)
    judge(slot, "seam")
    verdict = slot.verdict or own_verdict("gate.error", "no policy gave a verdict", seat=answering(bench), call=call)
    if unfit:
        reason = gate.pipeline.redactor.redact_text(unfit)
        verdict = own_verdict("gate.arguments", reason, seat=answering(bench), call=call)
    if verdict.decision == "require_approval":
        reason = f"{verdict.reason}; its calls run at the provider, where nobody can be asked about them"
        verdict = replace(verdict, decision="block", reason=reason)
    if run is not None and not verdict.stops:
        known = f"{verdict.decision} {verdict.rule} {verdict.policy_digest}"
        if run.offered.get(call.digest) == known:
            return
        run.offered[call.digest] = known
    verdict = _logged(call, verdict, bench)
    if verdict.stops:
        blocked = refuse(call, verdict, gate=gate, session=session, run=run, span=INVALID_SPAN)
        if run is not None:  # there is no result that a model could read
            run.refused(blocked, sticky=True)
        raise blocked
    if verdict.decision == "block":
        alert_of_block(call, verdict, gate=gate, span=trace.get_current_span())
    gate.count("allowed" if verdict.decision == "allow" else "observed")


def _logged(call: ToolCall, verdict: Verdict, bench: tuple[Seat, ...]) -> Verdict:
    """Write the decision; where that fails the verdict is a block, unless the policies waive it."""
    pipeline = bench[-1].gate.pipeline
    redacted = pipeline.redactor.redact_json(call.arguments.canonical, call.arguments.plain)
    context = trace.get_current_span().get_span_context()
    trace_id = format_trace_id(context.trace_id) if context.is_valid else ""
    line = {**decision_line(call, verdict, trace_id), "offered": True}
    try:
        pipeline.log.append(line, raw_args=redacted, sync=verdict.stops)
    except OSError as error:
        bench[-1].gate.count("log_failures")
        _log.exception("agentcop: gate.log cannot be written")
        if verdict.stops or all(each.policy.document.gate.log_failure == "allow" for each in bench):
            return verdict
        reason = f"gate.log cannot be written ({error.strerror or type(error).__name__})"
        return own_verdict("gate.log_failure", reason, seat=answering(bench), call=call)
    return verdict
