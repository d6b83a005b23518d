"""Jaeger on free loopback ports, with its traces in memory, and the questions that people ask it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from served import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 90
_DAY = 86_400


class Jaeger:
    """One Jaeger that can be killed and started again on the same ports; its traces are gone then."""

    def __init__(self, folder: Path) -> None:
        self.grpc_port, self.http_port, self.query_port = free_port(), free_port(), free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        storage = {"endpoint": f"127.0.0.1:{self.grpc_port}"}, {"endpoint": f"127.0.0.1:{self.http_port}"}
        configuration = {
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
                "telemetry": {"metrics": {"level": "none"}},
            },
            "extensions": {
                "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 10_000}}}},
                "jaeger_query": {
                    "storage": {"traces": "memory"},
                    "http": {"endpoint": f"127.0.0.1:{self.query_port}"},
                    "grpc": {"endpoint": f"127.0.0.1:{free_port()}"},
                },
            },
            "receivers": {"otlp": {"protocols": {"grpc": storage[0], "http": storage[1]}}},
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "jaeger.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")

    @property
    def grpc(self) -> str:
        return f"grpc://127.0.0.1:{self.grpc_port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        with (self._folder / "jaeger.log").open("ab") as log:
            self._process = subprocess.Popen(
                [os.environ["TEST_JAEGER"], "--config", str(self._folder / "jaeger.yaml")],
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._ask("/api/services")
            except OSError:
                assert self._process.poll() is None, self.log
                assert time.monotonic() < end, self.log
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = None

    @property
    def log(self) -> str:
        return (self._folder / "jaeger.log").read_text(encoding="utf-8", errors="replace")

    def search(self, service: str, **tags: str) -> list[dict[str, Any]]:
        """The traces of a service that hold a span with these tags."""
        now = time.time()
        asked = {"service": service, "start": int((now - _DAY) * 1e6), "end": int((now + _DAY) * 1e6), "limit": 1_000}
        if tags:
            asked["tags"] = json.dumps({name.replace("__", "."): value for name, value in tags.items()})
        try:
            found: list[dict[str, Any]] = self._ask(f"/api/traces?{urllib.parse.urlencode(asked)}")["data"]
        except urllib.error.HTTPError:  # it does not know the service yet
            return []
        return found

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, by its id, as an alert's link asks; none if it is not there."""
        try:
            found: list[dict[str, Any]] = self._ask(f"/api/traces/{trace_id}")["data"][0]["spans"]
        except urllib.error.HTTPError:
            return []
        return found

    def _ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.query_port}{path}", timeout=_PATIENCE) as answer:
            said: dict[str, Any] = json.load(answer)
            return said


def tags_of(span: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in span["tags"]}


@contextmanager
def a_jaeger(folder: Path) -> Iterator[Jaeger]:
    """Started, and killed at the end."""
    jaeger = Jaeger(folder)
    jaeger.start()
    try:
        yield jaeger
    finally:
        jaeger.kill()
