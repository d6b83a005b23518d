"""One file a kind of agent; the same skeleton for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_matrix.adapters.plain import PLAIN

if TYPE_CHECKING:
    from tests.fault_matrix.harness import Harness

HARNESSES: tuple[Harness, ...] = (PLAIN,)
