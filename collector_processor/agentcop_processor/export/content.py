"""What a tool was given and what it returned, kept until its span ends, for the detector alone.

A span that leaves by the application's exporters never carries it: it is added to the encoded message that goes to the
spool or to `AGENTCOP_OTLP_ENDPOINT`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

ContentMode = Literal["none", "redacted", "full"]
"""`monitor.content`. `none`: names, types and lengths only. `redacted`: through the redactor. `full`: as it is."""

FIELD_BYTES: Final = 4096
"""Longest field that reaches the detector, in bytes of UTF-8; what follows is cut and counted."""

KEPT_TEXT: Final = 4 * FIELD_BYTES
"""Text kept for redaction: more than a field, because what is redacted gets shorter."""


def shorten(text: str, redact: Callable[[str], str] | None = None, *, length: int = 0) -> str:
    """The text, redacted first where `redact` is given, within one field: what is cut off is counted.

    `length`: of the whole text, where only its beginning is at hand. Of a long text only the beginning is redacted,
    and the end of that is thrown away: a secret that the cut went through may stand there unrecognised. Raises what
    `redact` raises.
    """
    length = max(length, len(text))
    if redact is None:
        shown = text[:FIELD_BYTES]
    elif length <= KEPT_TEXT:
        shown = text = redact(text)
        length = len(text)
    else:
        shown = redact(text[:KEPT_TEXT])
        shown = shown[: max(0, len(shown) - FIELD_BYTES)]
    if not shown.isascii() or len(shown) > FIELD_BYTES:
        shown = shown.encode("utf-8", "replace")[:FIELD_BYTES].decode("utf-8", "ignore")
    missing = length - len(shown)
    return f"{shown}… +{missing} characters" if missing > 0 else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one call was given and returned, and how much of it the detector may see."""

    mode: ContentMode
    arguments: str = ""
    """Canonical JSON within one field, already redacted unless the mode is `full`; "" when unknown."""
    result: str = ""
    """The beginning of the result's text, not redacted yet; "" when unknown."""
    result_length: int = 0
    """Characters of the whole result."""

    @property
    def size(self) -> int:
        """Characters held, about."""
        return len(self.arguments) + len(self.result)


class ContentTable:
    """Content of the calls in flight, by span id. Thread-safe; never raises; bounded, the oldest goes first.

    With mode `none` only the fact is kept, so that nothing else on that span leaks either.
    """

    def __init__(
        self, mode: ContentMode = "redacted", *, max_entries: int = 4096, max_characters: int = 16 * 1024 * 1024
    ) -> None:
        """`mode` is for calls that say nothing else; agents of one process may differ."""
        self.mode: ContentMode = mode
        self._max_entries = max_entries
        self._max_characters = max_characters
        self._held: dict[int, Content] = {}
        self._characters = 0
        self._evicted = 0
        self._lock = threading.RLock()

    @property
    def evicted(self) -> int:
        """Calls whose content was pushed out before their span ended."""
        return self._evicted

    def put_arguments(self, span_id: int, canonical: bytes, *, mode: ContentMode | None = None) -> None:
        """Keep a call's arguments. `canonical` is redacted already (gate.log needs the same), unless mode is `full`."""
        mode = mode or self.mode
        text = ""
        if mode != "none":
            text = canonical[:FIELD_BYTES].decode("utf-8", "ignore")
            if len(canonical) > FIELD_BYTES:
                text = f"{text}… +{len(canonical) - FIELD_BYTES} bytes"
        with self._lock:
            before = self._held.get(span_id) or Content(mode=mode)
            self._put(span_id, replace(before, mode=mode, arguments=text))

    def put_result(self, span_id: int, text: str, *, mode: ContentMode | None = None) -> None:
        """Keep a call's result. It is redacted later, off the caller's thread."""
        with self._lock:
            before = self._held.get(span_id) or Content(mode=mode or self.mode)
            mode = mode or before.mode
            if mode == "none":
                self._put(span_id, Content(mode=mode))
            else:
                self._put(span_id, replace(before, mode=mode, result=text[:KEPT_TEXT], result_length=len(text)))

    def pop(self, span_id: int) -> Content | None:
        """Take a call's content out; None if nothing was put, or it was pushed out."""
        with self._lock:
            content = self._held.pop(span_id, None)
            if content is not None:
                self._characters -= content.size
            return content

    def after_fork(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()
        self._held = {}
        self._characters = 0

    def _put(self, span_id: int, content: Content) -> None:
        self.pop(span_id)
        self._held[span_id] = content
        self._characters += content.size
        while len(self._held) > self._max_entries or self._characters > self._max_characters:
            self.pop(next(iter(self._held)))
            self._evicted += 1
