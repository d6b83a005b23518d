"""The front as a process: both listeners and the spool, writing into one segment log."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from agentcop_detectors.receive.address import Address
from agentcop_detectors.receive.front import Front
from agentcop_detectors.receive.intake import MAX_LAG, Intake
from agentcop_detectors.receive.tokens import read_tokens
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.segments.position import Reader
from agentcop_detectors.service.status import Publisher
from agentcop_detectors.spool.intake import SpoolIntake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_detectors.service.child import Stop
    from agentcop_detectors.service.settings import Settings

_log = logging.getLogger("agentcop")

NAME: Final = "front"
_LOOK_SECONDS: Final = 0.02
_SAY_SECONDS: Final = 0.25


def receive(settings: Settings, stop: Stop) -> None:
    """Receive until stopped; then refuse what is new, answer what is there, and write it. Blocks.

    Raises OSError or AgentCopError where it cannot listen or write.
    """
    log = SegmentLog(settings.segments, fsync=settings.fsync)
    log.open()
    lag = _Lag(log, Reader(settings.segments))
    intake = Intake(log, tokens=read_tokens(settings.tokens) if settings.tokens else None, lag=lag)
    front = Front(intake, _nothing_else, http=settings.http, grpc_at=settings.grpc, tls=settings.tls)
    spool = None
    try:
        lag.look()
        if "spool" in settings.sources:
            spool = SpoolIntake(
                settings.spool,
                log,
                positions=settings.folder / "spool.json",
                segments=settings.segments,
                lag=lag,
            )
            spool.start()
        front.start()
        words = {
            name: str(Address(host=address.host, port=port))
            for name, address, port in (
                ("http", settings.http, front.http_port),
                ("grpc", settings.grpc, front.grpc_port),
            )
            if address is not None
        }
        says = _Says(Publisher(settings.status, NAME), log, intake, words, lag, spool)
        while True:
            says.say()
            until = time.monotonic() + _SAY_SECONDS
            while time.monotonic() < until and not stop.wait(_LOOK_SECONDS):
                lag.look()
            if stop.is_set():
                break
        front.stop()
        if spool is not None:
            spool.stop()
        says.say()
    finally:
        log.close()


async def _nothing_else(scope: Mapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 -- ASGI's own
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


class _Lag:
    """Bytes that the scorer has not read yet, looked up some fifty times a second and not for every request."""

    def __init__(self, log: SegmentLog, reader: Reader) -> None:
        self._log = log
        self._reader = reader
        self._bytes = 0

    def look(self) -> None:
        self._bytes = self._log.behind(self._reader.get())

    def __call__(self) -> int:
        return self._bytes


class _Says:
    """What the front says about itself."""

    def __init__(  # noqa: PLR0913, PLR0917 -- all that it has to say something about
        self,
        publisher: Publisher,
        log: SegmentLog,
        intake: Intake,
        words: Mapping[str, str],
        lag: _Lag,
        spool: SpoolIntake | None,
    ) -> None:
        self._publisher = publisher
        self._log = log
        self._intake = intake
        self._words = words
        self._lag = lag
        self._spool = spool

    def say(self) -> None:
        counts: dict[str, int] = {str(what): number for what, number in self._intake.counts.all().items()}
        counts["disk_failures"] = self._log.failures
        gauges: dict[str, float] = {
            "lag_bytes": self._lag(),
            "waiting_bytes": self._log.bytes_waiting,
            "disk_failing": self._log.broken,
        }
        if self._spool is not None:
            counts |= {str(what): number for what, number in self._spool.counts.items()}
            gauges["spool_reading"] = self._spool.reading
            gauges["spool_lost_spans"] = self._spool.lost
        why = ""
        if self._intake.draining:
            why = "it is draining"
        elif self._log.broken:
            why = "the disk does not take what is received"
        elif self._lag() > MAX_LAG:
            why = f"the scorer lags by {self._lag()} bytes"
        self._publisher.publish(ready=not why, why=why, counts=counts, gauges=gauges, words=self._words)
