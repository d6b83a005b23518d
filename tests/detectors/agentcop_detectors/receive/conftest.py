"""A front on free loopback ports, writing to a folder of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from agentcop_detectors.receive.address import Address
from agentcop_detectors.receive.front import Front
from agentcop_detectors.receive.intake import Intake
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.segments.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from agentcop_detectors.receive.address import Tls
    from agentcop_detectors.segments.frame import Frame

LOOPBACK = Address(host="127.0.0.1", port=0)


async def nothing_else(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """404 for what the front itself does not serve."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Running:
    """A front that listens, and what it wrote."""

    front: Front
    intake: Intake
    log: SegmentLog
    folder: Path

    @property
    def http(self) -> str:
        return f"127.0.0.1:{self.front.http_port}"

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.front.grpc_port}"

    def frames(self) -> list[Frame]:
        """All that was written so far."""
        tail = Tail(self.folder)
        found = [frame for _, frame in tail.frames(1_000_000)]
        tail.close()
        return found


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., AbstractContextManager[Running]]:
    """Brings up a front; the options are those of Intake, and `tls`."""

    @contextmanager
    def started(*, tls: Tls | None = None, **options: Any) -> Iterator[Running]:
        folder = tmp_path / "segments"
        log = SegmentLog(folder)
        log.open()
        intake = Intake(log, **options)
        front = Front(intake, nothing_else, http=LOOPBACK, grpc_at=LOOPBACK, tls=tls)
        front.start()
        try:
            yield Running(front, intake, log, folder)
        finally:
            front.stop()
            log.close()

    return started
