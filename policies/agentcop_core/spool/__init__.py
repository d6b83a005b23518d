"""The spool: spans that wait on disk for a detector. Both ends of its format.

In `<home>/spool/` (0700), files 0600:

    <time>-<pid>-<random>-<bound for>.open    being written; its writer holds the file's lock as long as it lives
    <time>-<pid>-<random>-<bound for>.jsonl   sealed: nobody writes it any more
    dropped.json                              what was lost, in spans
    reader.lock, dropped.lock

Each line is one ExportTraceServiceRequest in OTLP/JSON. Every process writes segments of its own, so writers need no
lock among each other. `bound for` is `local`, or a mark of the endpoint that was down: a process replays only what was
meant for its own endpoint; the detector of this machine reads everything.

Delivery is at least once: a reader killed between handing a line on and deleting its segment reads that segment again.
Receivers tell doubles by span id.
"""

from __future__ import annotations

from agentcop_core.spool.dropped import Dropped, DroppedRecord, Loss, read_dropped
from agentcop_core.spool.reader import SpoolLine, SpoolReader, has_reader
from agentcop_core.spool.segments import count_spans
from agentcop_core.spool.writer import LOCAL, MAX_BYTES, SEGMENT_BYTES, SpoolWriter

__all__ = [
    "LOCAL",
    "MAX_BYTES",
    "SEGMENT_BYTES",
    "Dropped",
    "DroppedRecord",
    "Loss",
    "SpoolLine",
    "SpoolReader",
    "SpoolWriter",
    "count_spans",
    "has_reader",
    "read_dropped",
]
