"""What is written of a call's box: in gate.log's outcome line, and on the call's span. Each name stands here once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_core import attributes as names

if TYPE_CHECKING:
    from agentcop_processor.sandbox.egress.heard import Heard
    from agentcop_processor.sandbox.engine import EngineName
    from agentcop_processor.sandbox.settings import BoxMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Where a call ran, and what it asked for on its way out."""

    asked: BoxMode
    """The policy's mode."""
    engine: EngineName
    heard: Heard | None

    @property
    def mode(self) -> BoxMode:
        """What it ran in."""
        return "process" if self.engine == "process" else "container"

    def in_log(self) -> dict[str, object]:
        """Fields of the outcome line; what is empty is left out.

        `sandbox_mode`, `sandbox_engine`; `sandbox_fallback` where it is not the policy's mode. `egress_refused`: a list
        of `place`, `why` and `times`; `egress_reached`: how often by place; `egress_unlisted`: requests for others.
        """
        line: dict[str, object] = {"sandbox_mode": self.mode, "sandbox_engine": self.engine}
        if self.mode != self.asked:
            line["sandbox_fallback"] = True
        heard = self.heard
        if heard is not None and heard.refused:
            line["egress_refused"] = [
                {"place": each.place, "why": each.why, "times": each.times} for each in heard.refused
            ]
        if heard is not None and heard.reached:
            line["egress_reached"] = {each.place: each.times for each in heard.reached}
        if heard is not None and heard.unlisted:
            line["egress_unlisted"] = heard.unlisted
        return line

    def on_span(self) -> dict[str, str | bool | int | list[str]]:
        """The same as attributes; of places without how often."""
        attributes: dict[str, str | bool | int | list[str]] = {
            names.COP_SANDBOX_MODE: self.mode,
            names.COP_SANDBOX_ENGINE: self.engine,
        }
        if self.mode != self.asked:
            attributes[names.COP_SANDBOX_FALLBACK] = True
        heard = self.heard
        if heard is not None and heard.refused:
            attributes[names.COP_EGRESS_REFUSED] = [f"{each.place}: {each.why}" for each in heard.refused]
        if heard is not None and heard.reached:
            attributes[names.COP_EGRESS_REACHED] = [each.place for each in heard.reached]
        if heard is not None and heard.unlisted:
            attributes[names.COP_EGRESS_UNLISTED] = heard.unlisted
        return attributes
