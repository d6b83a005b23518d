"""An agent of AgentCop whose calls are refused, run by `alerts.py` as a process: prints each run that must alarm.

    python benchmarks/ingestbench/agent.py RUNS SECONDS

AGENTCOP_OTLP_ENDPOINT says where the detector is; its spans go there the way that any agent's do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agentcop import AgentCop, ToolBlocked

_BLOCKS = 5


def main() -> None:
    """So many runs of five refused calls, so many seconds apart."""
    runs, seconds = int(sys.argv[1]), float(sys.argv[2])
    trace.set_tracer_provider(TracerProvider())
    tracer = trace.get_tracer("bench")
    policy = Path(os.environ["AGENTCOP_HOME"]) / "policy.yaml"
    policy.write_text("agent_id: alarmed\ngate: {allow: [look]}\n", encoding="utf-8")
    cop = AgentCop(policy_file=policy, scan=False)

    def pay(amount: float) -> None:
        raise AssertionError(amount)

    for number in range(runs):
        # A name of its own: what is told of one agent, rule and tool within five minutes is rolled up.
        refused = cop.tool(pay, name=f"pay_{number}")
        with tracer.start_as_current_span("run") as span:
            for _ in range(_BLOCKS):
                with suppress(ToolBlocked):
                    refused(amount=1.0)
            ended = time.time()
        print(json.dumps({"trace": f"{span.get_span_context().trace_id:032x}", "ended": ended}), flush=True)
        time.sleep(seconds)


if __name__ == "__main__":
    main()
