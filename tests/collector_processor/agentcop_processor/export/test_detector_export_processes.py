"""Forks, children, exits and kills: what becomes of the last spans of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_core.otlp.lines import from_line
from agentcop_core.spool import SpoolReader
from exporting import ended, export_to, ids, spooled
from receivers import GrpcReceiver, HttpReceiver, gate_tracer, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver().start()
    yield receiver
    receiver.stop()


def test_a_forked_child_delivers_its_own_spans_and_not_its_parents(agentcop_home: Path, http: HttpReceiver) -> None:
    export = export_to(http, agentcop_home)
    with gate_tracer(export) as tracer:
        before = ended(tracer)
        assert export.force_flush()
        waiting = ended(tracer)
        child = os.fork()
        if child == 0:
            ended(tracer, "child")
            done = export.force_flush(5_000) and export.stats().sent == 1
            os._exit(0 if done else 1)
        assert os.waitpid(child, 0)[1] == 0
        after = ended(tracer)
    assert sorted(http.ids) == sorted([before, waiting, after, *(ids([s for s in http.spans if s.name == "child"]))])
    assert [span.name for span in http.spans].count("child") == 1


@pytest.mark.parametrize("kind", [HttpReceiver, GrpcReceiver])
def test_a_child_of_multiprocessing_delivers_its_last_spans(
    agentcop_home: Path, kind: type[HttpReceiver | GrpcReceiver]
) -> None:
    program = f"""
import multiprocessing, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from opentelemetry.sdk.trace import TracerProvider
from agentcop_processor.export import detector_export
from agentcop_processor.export.delivery import Delivery
from agentcop_processor.export.detector_export import DetectorExport
from agentcop_core.otlp.sender import Endpoint, sender_to
from agentcop_core.spool import SpoolWriter
port, protocol = int(sys.argv[2]), sys.argv[3]
endpoint = Endpoint(protocol=protocol, tls=False, host="127.0.0.1", port=port, path="/v1/traces")
export = DetectorExport(Delivery(SpoolWriter(Path(sys.argv[1]) / "spool"), sender_to(endpoint)))
provider = TracerProvider()
provider.add_span_processor(export)
tracer = provider.get_tracer("agentcop")
def run(name):
    tracer.start_span(name).end()
if __name__ == "__main__":
    run("parent")
    export.force_flush()
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        process = context.Process(target=run, args=("child",))
        process.start()
        process.join()
    run("parent")
"""
    receiver = kind().start()
    script = agentcop_home.parent / f"{agentcop_home.name}.py"
    script.write_text(program)
    protocol = "grpc" if kind is GrpcReceiver else "http"
    command = [sys.executable, str(script), str(agentcop_home), str(receiver.port), protocol]
    subprocess.run(command, check=True, timeout=60)
    assert sorted(span.name for span in receiver.spans) == ["child"] * 3 + ["parent"] * 2
    receiver.stop()


EXITS = {
    "returns": "",
    "raises": "raise SystemExit(3)",
    "is terminated with a handler": "signal.signal(15, lambda *_: sys.exit(0)); os.kill(os.getpid(), 15)",
    "ends spans in its own exit handlers": "",
}


@pytest.mark.parametrize("how", EXITS)
def test_the_last_spans_of_a_process_that(how: str, agentcop_home: Path) -> None:
    program = f"""
import atexit, os, signal, sys
atexit.register(lambda: tracer.start_span("from an exit handler").end())
from pathlib import Path
from opentelemetry.sdk.trace import TracerProvider
from agentcop_processor.export import detector_export
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(detector_export(Path(sys.argv[1]), {{}}))
tracer = provider.get_tracer("agentcop")
tracer.start_span("last").end()
{EXITS[how]}
"""
    subprocess.run([sys.executable, "-c", program, str(agentcop_home)], check=False, timeout=60)
    assert [span.name for span in spooled(agentcop_home)] == ["last", "from an exit handler"]


def test_a_killed_process_leaves_what_it_had_spooled(agentcop_home: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from opentelemetry.sdk.trace import TracerProvider
from agentcop_processor.export import detector_export
provider = TracerProvider(shutdown_on_exit=False)
export = detector_export(Path(sys.argv[1]), {})
provider.add_span_processor(export)
provider.get_tracer("agentcop").start_span("last").end()
export.force_flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program, str(agentcop_home)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    reader = SpoolReader(agentcop_home / "spool")
    assert reader.acquire()
    assert [span.name for line in reader.lines() for span in spans_of(from_line(line.data))] == ["last"]
    assert len(reader.finished) == 1
    reader.release()


def test_importing_it_loads_no_exporter_no_protobuf_and_no_http() -> None:
    program = (
        "import opentelemetry.sdk.trace, sys; before = set(sys.modules); import agentcop_processor.export;"
        "new = set(sys.modules) - before;"
        "print([m for m in new if m.split('.')[0] in ('grpc', 'requests', 'google') or 'exporter' in m or m == 'ssl'"
        " or m == 'http.client'])"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stdout.strip() == "[]"
