"""Why a tool cannot travel, and the way out."""

from __future__ import annotations

from typing import Final

from agentcop_processor.sandbox.parcel import NotShippable

MODULE: Final = "put it into a module of its own that builds no cop"
AGAIN: Final = "start the program again"
OUTSIDE: Final = "use `sandbox.secrets` or `sandbox.env`"
STAY: Final = "or leave it out of `sandbox.tools`"


class CannotTravel(Exception):  # noqa: N818 -- an answer, not a fault
    """One way of shipping does not do. Never leaves this package: `NotShippable` does, with the ways together."""

    def __init__(self, why: str, out: str) -> None:
        """`why` and `out`, the way out, are phrases without a full stop, and hold no value of the program's."""
        super().__init__(why)
        self.why = why
        self.out = out


def refusal(tool: str, why: str, out: str) -> NotShippable:
    """The one sentence that whoever called the tool gets to read. `why` and `out` as above."""
    return NotShippable(f"{tool} cannot run in a box: {why}. Way out: {out}.")
