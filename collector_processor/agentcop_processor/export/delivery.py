"""Brings encoded requests to the detector: over the wire, or into the spool while there is no wire."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Final

from agentcop_core.otlp.lines import from_line, to_line
from agentcop_core.spool import SpoolReader, SpoolWriter, count_spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from agentcop_core.otlp.sender import Sender, Sent
    from agentcop_core.spool import Loss, SpoolLine

_log = logging.getLogger("agentcop")

_LONGEST_PAUSE: Final = 30.0
_LONGEST_ASKED: Final = 60.0
_LOOK_EVERY: Final = 5.0


class Delivery:
    """Sends each request, or spools it. One thread at a time; blocks on network and disk; never raises.

    Once something waits in the spool, what follows queues up behind it, so order holds within a process. Segments
    left by processes that are gone are replayed too. Where this machine's detector reads the spool, it is left to it.
    """

    def __init__(
        self,
        spool: SpoolWriter,
        sender: Sender | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`sender` None: everything is spooled and stays there for a detector to read."""
        self.sent = 0
        """Spans the endpoint accepted, replayed ones included."""
        self.spooled = 0
        """Spans written to the spool; of these, the replayed ones count as sent later on."""
        self.dropped = 0
        """Spans that neither endpoint nor disk took."""
        self.failed = 0
        """Spans that could not be encoded, or that the endpoint refused as malformed."""
        self._spool = spool
        self._reader = SpoolReader(spool.folder, bound_for=spool.bound_for)
        self._sender = sender
        self._clock = clock
        self._jitter = jitter
        self._behind = False
        self._failures = 0
        self._away_until = 0.0
        self._look_at = 0.0
        self._said: set[str] = set()

    def deliver(
        self, request: ExportTraceServiceRequest, spans: int, still_ours: Callable[[], bool] = lambda: True
    ) -> None:
        """Send it, or spool it. `still_ours` False after a failed attempt: somebody else spooled it meanwhile."""
        if self._sender is not None and not self._behind and self._clock() >= self._away_until:
            sent = self._sender.send(request.SerializeToString())
            if self._settled(sent, spans) or not still_ours():
                return
        self.store(request, spans)

    def store(self, request: ExportTraceServiceRequest, spans: int, *, spool: SpoolWriter | None = None) -> None:
        """Spool it, whatever the endpoint does. `spool`: another writer than this thread's."""
        loss: Loss = "room"
        try:
            stored = (spool or self._spool).append(to_line(request))
        except OSError as error:
            stored, loss = False, "write"
            self._say("write", "agentcop: spans for the detector are lost: %s", error)
        except (TypeError, ValueError, RecursionError) as error:
            self.failed += spans
            self._say("line", "agentcop: spans could not be written as OTLP/JSON: %s", error)
            return
        if stored:
            self.spooled += spans
            self._behind = True
            return
        self.lost(loss, spans)

    def lost(self, loss: Loss, spans: int) -> None:
        """Count spans that no detector will see, here and in the spool's record."""
        self.dropped += spans
        self._spool.dropped.add(loss, spans)
        self._say(loss, "agentcop: spans for the detector are being dropped (%s); see %s", loss, self._spool.folder)

    def rescue_writer(self) -> SpoolWriter:
        """A spool writer for another thread, while this one hangs in an attempt."""
        return SpoolWriter(self._spool.folder, bound_for=self._spool.bound_for)

    def wants(self) -> float | None:
        """Seconds until `replay` should be called; None: not before the next spans."""
        if self._sender is None or not self._behind:
            return None
        return max(0.0, self._away_until - self._clock())

    def replay(self, interrupted: Callable[[], bool]) -> None:
        """Send what waits in the spool, oldest first, until it is empty, an attempt fails, or `interrupted`."""
        now = self._clock()
        if self._sender is None or now < self._away_until or not (self._behind or now >= self._look_at):
            return
        self._look_at = now + _LOOK_EVERY
        try:
            self._spool.seal()
            if self._behind or self._reader.waiting():
                self._replay(self._sender, interrupted)
        except OSError as error:
            self._away_until = now + _LOOK_EVERY
            self._say("replay", "agentcop: the spool could not be replayed: %s", error)

    def _replay(self, sender: Sender, interrupted: Callable[[], bool]) -> None:
        if not self._reader.acquire():
            # Its consumer, this machine's detector or another agent, sees to ours as well.
            self._behind = False
            return
        try:
            for line in self._reader.lines():
                if interrupted():
                    return
                if not self._resend(sender, line):
                    self._put_back()
                    return
            self._behind = False
            self._put_back()
        finally:
            for segment in self._reader.finished:
                self._reader.ack(segment)

    def _put_back(self) -> None:
        """Leave what is not sent yet to whoever reads next, without what is."""
        for segment, position in self._reader.positions.items():
            if segment not in self._reader.finished:
                self._reader.keep_from(segment, position)
        self._reader.release()

    def _resend(self, sender: Sender, line: SpoolLine) -> bool:
        spans = count_spans(line.data)
        try:
            body = from_line(line.data).SerializeToString()
        except ValueError as error:
            self.failed += spans
            self._say("damaged", "agentcop: a damaged line in the spool is passed over: %s", error)
            return True
        return self._settled(sender.send(body), spans)

    def _settled(self, sent: Sent, spans: int) -> bool:
        """Count the attempt; False if the spans must be kept."""
        if sent.outcome == "later":
            self._failures += 1
            pause = min(_LONGEST_PAUSE, 2.0 ** min(self._failures - 1, 8)) * (0.5 + self._jitter() / 2)
            self._away_until = self._clock() + min(max(pause, sent.wait), _LONGEST_ASKED)
            if self._failures == 1:
                _log.warning("agentcop: no detector answers (%s); spans wait in %s", sent.why, self._spool.folder)
            return False
        if self._failures:
            _log.info("agentcop: the detector answers again")
        self._failures = 0
        rejected = spans if sent.outcome == "refused" else min(sent.rejected, spans)
        self.sent += spans - rejected
        self.failed += rejected
        if rejected:
            self._say("refused", "agentcop: the detector refused %d spans: %s", rejected, sent.why)
        return True

    def finish(self) -> None:
        """Seal the segment and close the connection. A later `deliver` opens both again."""
        try:
            self._put_back()
            self._spool.seal()
        except OSError as error:
            self._say("seal", "agentcop: the spool's segment could not be sealed: %s", error)
        if self._sender is not None:
            self._sender.close()

    def after_fork(self) -> None:
        """In a forked child: files, connection and counts are the parent's; start afresh."""
        self._spool.abandon()
        self._reader.release()
        self._reader = SpoolReader(self._spool.folder, bound_for=self._spool.bound_for)
        if self._sender is not None:
            self._sender.forget()
        self._behind = False
        self.sent = self.spooled = self.dropped = self.failed = 0

    def _say(self, what: str, message: str, *values: object) -> None:
        if what not in self._said:
            self._said.add(what)
            _log.warning(message, *values)
