"""Arize Phoenix on the same batches: its server in its own environment, measured from the kernel as ours is."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingestbench.clients import OverHttp, send_all
from ingestbench.service import cpu_seconds, wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestbench.load import Batch

PYTHON: Final = "AGENTCOP_PHOENIX"
"""Names the interpreter of an environment with arize-phoenix in it; `scripts/bench ingest` sets it."""


def phoenix_rate(batches: Sequence[Batch]) -> tuple[float | None, str]:
    """Spans a CPU-second of the server, from the first request until all are in its database; or why there is none."""
    python = os.environ.get(PYTHON, "")
    program = Path(python).parent / "phoenix"
    if not python or not program.exists():
        return None, f"{PYTHON} names no interpreter beside which there is `phoenix`"
    with tempfile.TemporaryDirectory(prefix="agentcop-phoenix-") as folder:
        http, grpc = _free_port(), _free_port()
        environment = {
            **os.environ,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(http),
            "PHOENIX_GRPC_PORT": str(grpc),
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        }
        with (Path(folder) / "stderr").open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 -- the peer's server
                [str(program), "serve"], env=environment, stdout=log, stderr=log
            )
        try:
            wait(lambda: server.poll() is not None or _listens(http), "Phoenix", 180)
            if server.poll() is not None:
                said = (Path(folder) / "stderr").read_text(encoding="utf-8", errors="replace")
                return None, f"it did not start: {said[-200:]}"
            time.sleep(5)  # what it does at its start is not to be counted
            before = cpu_seconds(server.pid)
            spans, _ = send_all(batches, lambda: OverHttp(lambda: f"127.0.0.1:{http}"), connections=2)
            wait(lambda: _stored(Path(folder)) >= spans, f"the last of {spans} spans in Phoenix", 600)
            return spans / (cpu_seconds(server.pid) - before), ""
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _stored(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'phoenix.db'}?mode=ro", uri=True)) as database:
        count: int = database.execute("select count(*) from spans").fetchone()[0]
    return count


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
