"""What importing costs: agentcop with one object wrapped, against the OTel SDK and its OTLP exporter alone."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

OTEL = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
"""

AGENTCOP = """
from agentcop import AgentCop, GatePolicy
cop = AgentCop(agent_id="bench", policy=GatePolicy(allow=["search"]))
tools = cop.wrap({"search": lambda query: query})
"""


def import_ratio(rounds: int) -> float:
    """CPU seconds of a fresh process, median over median; the two take turns `rounds` times after one that warms up.

    Both find their bytecode in a cache of this run's own, as installed packages do, whatever the shell says about it.
    """
    samples: dict[str, list[float]] = {OTEL: [], AGENTCOP: []}
    with tempfile.TemporaryDirectory() as cache:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        for number in range(rounds + 1):
            for code, taken in samples.items():
                seconds = _cpu_seconds(code, environment)
                if number:
                    taken.append(seconds)
    return round(statistics.median(samples[AGENTCOP]) / statistics.median(samples[OTEL]), 3)


def _cpu_seconds(code: str, environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)  # noqa: S603 -- this interpreter
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
