"""Boxes of the engine `process`, and a host that runs tools in them."""

from __future__ import annotations

import json
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.boxes.pool import Kind
from agentcop_processor.sandbox.boxes.runner import started
from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine
from agentcop_processor.sandbox.inside.wire import values
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcop_processor.sandbox.boxes.conversation import Box, Reply
    from agentcop_processor.sandbox.engine import Mount

PATIENCE = 60.0
"""Seconds until a tool, or what a test waits for, fails the test."""
ENGINE = ProcessEngine()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A box and what a test does with it."""

    box: Box

    def prepare(self, source: str) -> None:
        """Load a module's text, which may be indented and has a function `tool`."""
        parcel = {"module": "made_up", "name": "tool", "source": textwrap.dedent(source), "init": None, "method": ""}
        self.box.prepare(json.dumps({**parcel, "path": [], "env": {}}).encode())

    def reply(self, *args: object, timeout: float = PATIENCE) -> Reply:
        """Call what was prepared."""
        return self.box.call(json.dumps({"args": values.encode(list(args)), "kwargs": {}}).encode(), timeout)

    def run(self, source: str, *args: object) -> object:
        """What the function `tool` of this text returns; fails the test where it does not."""
        self.prepare(source)
        reply = self.reply(*args)
        answer = json.loads(reply.result or b"null")
        assert isinstance(answer, dict), reply
        assert "value" in answer, (answer, reply)
        return values.decode(answer["value"])


@contextmanager
def process_box(*mounts: Mount, settings: Settings | None = None) -> Iterator[Running]:
    """A box with a child's usual limits; killed at the end."""
    box = started(ENGINE, Kind(settings=settings or Settings(mode="process", network="none"), mounts=mounts))
    try:
        yield Running(box=box)
    finally:
        box.close()


def until(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


def processes_with(mark: str) -> list[int]:
    """The processes of this machine that have the mark in their command line."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = process.joinpath("cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in words:
                found.append(int(process.name))
    return found
