"""Gives the receiver bytes that a fuzzer makes: as bodies of every encoding, packed or not, and as gRPC messages.

What it acknowledges goes to disk, is read from there and made into steps: every span that was acknowledged must be
a step, or counted. `scripts/test fuzz` runs it for a while; by hand: `python tests/fuzz/receive_bytes.py FOLDER
-max_total_time=60`. What breaks it is left in the working folder as `crash-…`.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import atheris

with atheris.instrument_imports(include=["agentcop_detectors.normalise", "agentcop_detectors.receive"]):
    from agentcop_detectors.normalise import frames
    from agentcop_detectors.normalise.frames import steps_of
    from agentcop_detectors.receive.bodies import Malformed, TooLarge
    from agentcop_detectors.receive.http import TRACES, OtlpHttp
    from agentcop_detectors.receive.intake import Intake
    from agentcop_detectors.segments.frame import Encoding, Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_detectors.segments.log import NotWritten

_SPANS = Path(__file__).parents[1] / "detectors" / "fixtures" / "spans"
_KINDS = (
    (b"application/x-protobuf", b""),
    (b"application/json", b""),
    (b"application/x-protobuf", b"gzip"),
    (b"application/json", b"gzip"),
)
_GRPC = len(_KINDS)
_PACKED = _GRPC + 1
"""A bomb: the input, repeated a thousand times, packed."""
_ANSWERS = {200, 400, 413, 429}
_LIMIT = 1024 * 1024


class Log:
    """A segment log that keeps the last frame only: what it does on disk is tested elsewhere."""

    bytes_waiting = 0

    def __init__(self) -> None:
        self._frame: Frame | None = None

    def append(self, frame: Frame, done: Callable[[NotWritten | None], None]) -> None:
        """Take it at once."""
        self._frame = frame
        done(None)

    def given(self) -> Frame | None:
        """What was taken since the last time."""
        frame, self._frame = self._frame, None
        return frame


_log = Log()
_intake = Intake(_log, max_body=_LIMIT, largest_span=_LIMIT // 4)  # type: ignore[arg-type]  # what Intake needs of a log
_app = OtlpHttp(_intake, None)  # type: ignore[arg-type]  # nothing else is asked
_loop = asyncio.new_event_loop()


def one_input(raw: bytes) -> None:
    """One request of the kind that the first byte chooses. Raises for whatever is no proper answer."""
    if not raw:
        return
    kind, body = raw[0] % (_PACKED + 1), raw[1:]
    if kind == _GRPC:
        try:
            _intake.take(body, Encoding.PROTOBUF, "", "", lambda failed: None)
        except (Malformed, TooLarge):
            return
    else:
        if kind == _PACKED:
            kind, body = 2 + body[:1].count(b"{"), gzip.compress(body * 1_000, 1)
        elif _KINDS[kind][1]:
            body = gzip.compress(body, 1) if body[:1] != b"\x1f" else body
        status = _loop.run_until_complete(_asked(*_KINDS[kind], body))
        if status not in _ANSWERS:
            raise AssertionError(f"answered {status}")
    if _intake._held:  # noqa: SLF001 -- room that is not given back ends the service, slowly
        raise AssertionError(f"{_intake._held} bytes are held for nobody")  # noqa: SLF001 -- as above
    frame = _log.given()
    if frame is not None:
        _read(frame)


async def _asked(kind: bytes, coding: bytes, body: bytes) -> int:
    answers: list[Mapping[str, Any]] = []
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]

    async def receive() -> Mapping[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Mapping[str, Any]) -> None:
        answers.append(message)

    headers = [(b"content-type", kind), (b"content-encoding", coding)]
    await _app({"type": "http", "method": "POST", "path": TRACES, "headers": headers}, receive, send)
    status: int = answers[0]["status"]
    return status


def _read(frame: Frame) -> None:
    counts: Counter[Any] = Counter()
    steps = list(steps_of(frame, None, counts))
    if len(steps) != counts["steps"] or not (steps or counts["unusable"] or counts["poisoned"]):
        raise AssertionError(f"what was acknowledged is nowhere: {counts}")
    traces = {step.trace_id for step in steps}
    if not counts["poisoned"] and not traces <= frames.trace_ids(frame):
        raise AssertionError("a trace cannot be found again")
    left = frames.without(frame, traces)
    if left is not None and any(step.trace_id in traces for step in steps_of(left, None, Counter())):
        raise AssertionError("a trace cannot be forgotten")


def seeds(folder: Path) -> None:
    """Writes recorded spans, a request each, in every encoding."""
    sys.path.insert(0, str(_SPANS.parents[2] / "support"))
    from step_outline import binary

    folder.mkdir(parents=True, exist_ok=True)
    for path in _SPANS.glob("*.json"):
        body = path.read_bytes()
        for kind, made in enumerate((binary(body), body, binary(body), body, binary(body))):
            (folder / f"{path.stem}-{kind}").write_bytes(bytes([kind]) + made)
    (folder / "small").write_bytes(b'\x01{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}')


if __name__ == "__main__":
    logging.disable()
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
