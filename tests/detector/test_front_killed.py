"""The front as a process, killed again and again under load: what a client was told is taken is there."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.normalise.frames import steps_of
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.tail import Tail
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.writer import Store
from served import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opentelemetry.sdk.trace.export import SpanExporter

    from agentcop_detectors.normalise.frames import Counted

pytestmark = pytest.mark.detector

KILLS = 10

FRONT = """
import sys, threading
from pathlib import Path
from agentcop_detectors.receive.address import Address
from agentcop_detectors.receive.front import Front
from agentcop_detectors.receive.intake import Intake
from agentcop_detectors.segments.log import SegmentLog

async def nothing_else(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})

folder, http, grpc = sys.argv[1:]
log = SegmentLog(Path(folder), segment_bytes=200_000)
log.open()
at = [Address(host="127.0.0.1", port=int(port)) for port in (http, grpc)]
Front(Intake(log), nothing_else, http=at[0], grpc_at=at[1]).start()
print("ready", flush=True)
threading.Event().wait()
"""


class _Client(threading.Thread):
    """An application that exports its spans, a few at a time, and remembers which were taken."""

    def __init__(self, exporter: SpanExporter, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.exporter = exporter
        self.ended = ended
        self.taken: set[bytes] = set()
        self.refused = 0

    def run(self) -> None:
        memory = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(memory))
        tracer = provider.get_tracer("app")
        while not self.ended.is_set():
            with tracer.start_as_current_span("invoke_agent app"):
                for number in range(4):
                    tracer.start_span(f"execute_tool tool-{number}").end()
            spans = memory.get_finished_spans()
            memory.clear()
            if self.exporter.export(spans) is SpanExportResult.SUCCESS:
                self.taken.update(span.context.span_id.to_bytes(8, "big") for span in spans if span.context)
            else:
                self.refused += 1
        self.exporter.shutdown()


def test_killed_under_load_it_loses_nothing_that_it_acknowledged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record_testsuite_property: Callable[[str, object], None]
) -> None:
    caplog.set_level("CRITICAL")  # the exporters say at length that nobody is there
    folder, http, grpc = tmp_path / "segments", free_port(), free_port()
    ended = threading.Event()
    clients = [_Client(HttpExporter(f"http://127.0.0.1:{http}/v1/traces", timeout=2), ended) for _ in range(2)]
    clients += [_Client(GrpcExporter(f"127.0.0.1:{grpc}", insecure=True, timeout=2), ended) for _ in range(2)]
    command = [sys.executable, "-c", FRONT, str(folder), str(http), str(grpc)]

    before = 0
    for number in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as front:
            assert front.stdout is not None
            assert front.stdout.readline() == b"ready\n"
            if not number:
                for client in clients:
                    client.start()
            until = time.monotonic() + 60
            while sum(len(client.taken) for client in clients) < before + 200 and time.monotonic() < until:
                time.sleep(0.01)
            front.kill()
        assert sum(len(client.taken) for client in clients) >= before + 200
        before = sum(len(client.taken) for client in clients)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as front:
        assert front.stdout is not None
        front.stdout.readline()
        ended.set()
        for client in clients:
            client.join(60)
        front.kill()

    counts: Counter[Counted] = Counter()
    tail = Tail(folder)
    there = {step.span_id for _, frame in tail.frames(10**9) for step in steps_of(frame, None, counts)}
    tail.close()
    taken = set(itertools.chain.from_iterable(client.taken for client in clients))
    for name, figure in (("acknowledged", len(taken)), ("on disk", len(there)), ("lost", len(taken - there))):
        record_testsuite_property(f"front: {name}", figure)
    assert all(client.taken for client in clients)
    assert taken - there == set()
    assert counts["poisoned"] == 0

    engine = open_database(f"sqlite:///{tmp_path / 'detector.db'}")
    scorer = Scorer(folder, Store(engine, "it"), built_in())
    while scorer.step():
        pass
    scorer.close()
    assert scorer.counts().steps - scorer.counts().duplicates == len(there)
    engine.dispose()
