"""The forwarder as a process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from agentcop_core.home import make_private
from agentcop_core.otlp.sender import sender_to
from agentcop_detectors.forward.forwarder import Forwarder
from agentcop_detectors.receive.tokens import read_tokens
from agentcop_detectors.service.status import Publisher

if TYPE_CHECKING:
    from agentcop_detectors.service.child import Stop
    from agentcop_detectors.service.settings import Settings

NAME: Final = "forward"
_LAST_SECONDS: Final = 3.0
_SAY_SECONDS: Final = 0.5


def forward(settings: Settings, stop: Stop) -> None:
    """Forward until stopped; then, for a few seconds, what the target still takes. The rest waits on disk. Blocks."""
    if settings.forward is None:
        return
    make_private(settings.segments)
    sender = sender_to(settings.forward, settings.forward_token)
    tokens = read_tokens(settings.tokens) if settings.tokens else None
    forwarder = Forwarder(settings.segments, settings.forward_position, sender, tokens=tokens)
    publisher = Publisher(settings.status, NAME)
    said = 0.0
    until: float | None = None
    while True:
        pause = forwarder.step()
        now = time.monotonic()
        if now - said >= _SAY_SECONDS:
            said = now
            _say(publisher, forwarder)
        if stop.is_set():
            until = until or now + _LAST_SECONDS
            if pause or forwarder.why or now >= until:
                break
        elif pause:
            stop.wait(pause)
    _say(publisher, forwarder)
    forwarder.close()


def _say(publisher: Publisher, forwarder: Forwarder) -> None:
    # A target that is away is its own trouble: the detector is ready all the same.
    counts = {str(what): number for what, number in forwarder.counts.items()}
    gauges = {"forward_behind_bytes": float(forwarder.behind), "forward_failing": float(bool(forwarder.why))}
    publisher.publish(ready=True, why=forwarder.why, counts=counts, gauges=gauges)
