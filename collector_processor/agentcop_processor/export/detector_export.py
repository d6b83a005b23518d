"""The span processor that brings gate spans to the detector, whatever the application samples or exports."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry import context as context_api
from opentelemetry.sdk.trace import SpanProcessor

from agentcop_core import attributes as names
from agentcop_core.locks import IMPORTING
from agentcop_core.spool import LOCAL, SpoolWriter
from agentcop_processor.export.content import ContentTable
from agentcop_processor.export.delivery import Delivery
from agentcop_processor.export.message import SPAN_BYTES, Waiting, encode, footprint, slim
from agentcop_processor.export.waiting import WaitingSpans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from agentcop_processor.export.message import Encoded

_log = logging.getLogger("agentcop")

EXIT_SECONDS: Final = 2.0

# The key by which instrumentations know not to trace an exporter; the SDK's own processor uses the same.
_SUPPRESS: Final[str] = getattr(context_api, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStats:
    """What became of this process's gate spans, in spans."""

    queued: int
    """Waiting in memory."""
    sent: int
    """Accepted by the endpoint, those replayed from the spool included."""
    spooled: int
    """Written to the spool; those replayed since are counted in `sent` as well."""
    dropped: int
    """Lost: the queue or the spool was full, or the disk refused."""
    failed: int
    """Lost: could not be encoded, or the endpoint refused them as malformed."""


def detector_export(
    home: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    content: ContentTable | None = None,
    redact: Callable[[str], str] | None = None,
) -> DetectorExport:
    """The export that `AGENTCOP_OTLP_ENDPOINT` and `AGENTCOP_TOKEN` ask for; the spool of `home` where they do not.

    Raises ValueError, one sentence, for an endpoint that is none: arming should refuse it. Opens nothing.
    """
    said = environ.get("AGENTCOP_OTLP_ENDPOINT", "").strip()
    folder = home / "spool"
    if not said:
        return DetectorExport(Delivery(SpoolWriter(folder, bound_for=LOCAL)), content=content, redact=redact)
    with IMPORTING:
        from agentcop_core.otlp.sender import parse_endpoint, sender_to

    endpoint = parse_endpoint(said)
    sender = sender_to(endpoint, environ.get("AGENTCOP_TOKEN", ""))
    return DetectorExport(
        Delivery(SpoolWriter(folder, bound_for=endpoint.mark), sender), content=content, redact=redact
    )


class DetectorExport(SpanProcessor):
    """Takes each ended gate span once and delivers it from a background thread. Thread-safe, fork-safe.

    One instance may stand in any number of providers. A gate span is one of our scope, or a framework's own that
    carries a verdict. `on_end` never blocks and never raises; a full queue drops the span and counts it. The thread
    starts with the first span. `shutdown` is no end: a span that comes later starts everything again.
    """

    def __init__(  # noqa: PLR0913 -- limits, all with defaults
        self,
        delivery: Delivery,
        *,
        content: ContentTable | None = None,
        redact: Callable[[str], str] | None = None,
        queue_spans: int = 2048,
        queue_bytes: int = 64 * 1024 * 1024,
        delay: float = 0.5,
    ) -> None:
        """`redact` None: the core's redactor. `delay`: seconds for which spans are gathered into a batch."""
        self.content = content or ContentTable()
        self._delivery = delivery
        self._redactor = redact
        self._queue = WaitingSpans(queue_spans, queue_bytes)
        self._delay = delay
        self._said: set[str] = set()
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_weakly(self._after_fork))

    def _reset(self) -> None:
        # Signals are bare locks: raising one is a single step, so a finaliser that ends a span cannot deadlock on it.
        self._wake = _lowered()
        self._full = _lowered()
        self._starting = threading.RLock()
        self._delivering = threading.Lock()
        self._waiters: list[threading.Event] = []
        self._in_flight: Encoded | None = None
        self._failed = 0
        self._overflow_told = 0
        self._stop_at = 0.0
        self._late = False
        self._at_exit_known = False
        self._thread: threading.Thread | None = None

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span if it is a gate span."""
        try:
            scope = span.instrumentation_scope
            attributes = span.attributes or {}
            if (scope is None or scope.name != names.SCOPE) and names.COP_VERDICT not in attributes:
                return
            context = span.get_span_context()
            if context is None:
                return
            content = self.content.pop(context.span_id)
            size = footprint(span, attributes)
            if size > SPAN_BYTES:
                span = slim(span)
                size = footprint(span, span.attributes or {})
            if content is not None:
                size += content.size
            self._put(context.span_id, Waiting(span, content, size))
        except Exception:  # an SDK hook must never raise
            self._complain("on_end", "agentcop: a span did not reach the detector's queue")

    def _put(self, span_id: int, waiting: Waiting) -> None:
        length = self._queue.put(span_id, waiting)
        if length == 0:
            return
        if self._late:
            self._spool_now()
            return
        if length == 1:
            _raise(self._wake)
        if length == self._queue.batch_spans:
            _raise(self._full)
        if self._thread is None:
            self._start()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what has ended so far, to the endpoint or the spool. False when that took longer."""
        if self._thread is None and not self._queue:
            return True
        if self._thread is threading.current_thread():
            return False
        done = threading.Event()
        with self._starting:
            self._waiters.append(done)
        _raise(self._wake)
        _raise(self._full)
        if self._thread is None:
            self._start()
        return done.wait(timeout_millis / 1000)

    def shutdown(self, timeout_millis: int = int(EXIT_SECONDS * 1000)) -> None:
        """Deliver everything and close; what an endpoint that hangs does not take in time goes to the spool."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        self._stop_at = time.monotonic() + timeout_millis / 2000
        _raise(self._wake)
        _raise(self._full)
        thread.join(timeout_millis / 1000)
        if thread.is_alive():
            self._rescue()

    def stats(self) -> ExportStats:
        """Counts since this process began (a forked child counts for itself)."""
        delivery = self._delivery
        return ExportStats(
            queued=len(self._queue),
            sent=delivery.sent,
            spooled=delivery.spooled,
            dropped=delivery.dropped + self._queue.overflow - self._overflow_told,
            failed=delivery.failed + self._failed,
        )

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            self._stop_at = 0.0
            self._thread = threading.Thread(target=self._run, name="agentcop-export", daemon=True)
            first, self._at_exit_known = not self._at_exit_known, True
        if first:
            atexit.register(_weakly(self._at_exit))
            # multiprocessing's children leave without atexit.
            process = sys.modules.get("multiprocessing.process")
            if process is not None and process.parent_process() is not None:
                with IMPORTING:
                    from multiprocessing.util import Finalize

                Finalize(None, _weakly(self._at_exit), exitpriority=0)
        try:
            self._thread.start()
        except RuntimeError:
            # The interpreter is shutting down and starts no more threads.
            self._thread = None
            self._late = True
            self._spool_now()

    def _run(self) -> None:
        context_api.attach(context_api.set_value(_SUPPRESS, value=True))
        me = threading.current_thread()
        while self._thread is me:
            wants = self._delivery.wants()
            self._wake.acquire(timeout=-1 if wants is None else wants)
            if 0 < len(self._queue) < self._queue.batch_spans and not self._urgent():
                self._full.acquire(timeout=self._delay)
            with self._delivering:
                try:
                    self._drain()
                    self._delivery.replay(self._interrupted)
                except Exception:  # telemetry swallows its own faults and says so once
                    self._complain("run", "agentcop: spans for the detector were lost")
                    lost, self._in_flight = self._in_flight, None
                    self._failed += lost.spans if lost else 0
                    self._full.acquire(timeout=1.0)
                    _raise(self._wake)
                if self._stop_at and not self._queue:
                    self._delivery.finish()
                    if self._thread is me:
                        self._thread = None
        # A span that came while the thread was leaving saw it still there.
        if self._queue and self._thread is None:
            self._start()

    def _urgent(self) -> bool:
        return self._stop_at > 0 or bool(self._waiters)

    def _interrupted(self) -> bool:
        """Whether a replay must let new spans pass, or end because the process does."""
        stopping = 0 < self._stop_at <= time.monotonic()
        return stopping or bool(self._waiters) or len(self._queue) >= self._queue.batch_spans

    def _drain(self) -> None:
        with self._starting:
            waiters, self._waiters = self._waiters, []
        try:
            while batch := self._queue.take():
                encoded = encode(batch, self.content.mode, self._redact)
                self._failed += encoded.failed
                self._in_flight = encoded
                if encoded.spans:
                    self._delivery.deliver(encoded.request, encoded.spans, self._is_in_flight(encoded))
                self._in_flight = None
            if lost := self._queue.overflow - self._overflow_told:
                self._overflow_told += lost
                self._delivery.lost("queue", lost)
        finally:
            for waiter in waiters:
                waiter.set()

    def _is_in_flight(self, encoded: Encoded) -> Callable[[], bool]:
        return lambda: self._in_flight is encoded

    def _rescue(self) -> None:
        """The thread hangs in an attempt and the process is about to end: spool what it has and what waits."""
        self._thread = None
        encoded, self._in_flight = self._in_flight, None
        spool = self._delivery.rescue_writer()
        if encoded is not None and encoded.spans:
            self._delivery.store(encoded.request, encoded.spans, spool=spool)
        while batch := self._queue.take():
            encoded = encode(batch, self.content.mode, self._redact)
            self._delivery.store(encoded.request, encoded.spans, spool=spool)
        spool.seal()

    def _spool_now(self) -> None:
        """After this process's exit handlers: no thread and no network any more, so straight to the disk."""
        if not self._delivering.acquire(blocking=False):
            return
        try:
            while batch := self._queue.take():
                encoded = encode(batch, self.content.mode, self._redact)
                self._delivery.store(encoded.request, encoded.spans)
            self._delivery.finish()
        finally:
            self._delivering.release()

    def _at_exit(self) -> None:
        self._late = True
        self.shutdown()

    def _after_fork(self) -> None:
        """In a forked child: what was queued is the parent's to deliver."""
        self._reset()
        self._queue.clear()
        self.content.after_fork()
        self._delivery.after_fork()

    def _redact(self, text: str) -> str:
        """Redacted, or nothing of it: text that could not be checked does not leave."""
        try:
            if self._redactor is None:
                with IMPORTING:
                    from agentcop_core.redact import Redactor

                self._redactor = Redactor().redact_text
            return self._redactor(text)
        except Exception:  # whatever is wrong with it, the text stays here
            self._complain("redact", "agentcop: the redactor failed; the text is withheld from the detector")
            return "[withheld: the redactor failed]"

    def _complain(self, what: str, message: str) -> None:
        if what not in self._said:
            self._said.add(what)
            _log.exception(message)


def _lowered() -> threading.Lock:
    """A signal, not raised: waiting for it is acquiring the lock."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def _raise(signal: threading.Lock) -> None:
    """Raise the signal; raised twice counts once."""
    try:
        signal.release()
    except RuntimeError:
        # It is raised already.
        return


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """The bound method, without keeping its object alive."""
    weak = weakref.WeakMethod(method)

    def call() -> None:
        alive = weak()
        if alive is not None:
            alive()

    return call
