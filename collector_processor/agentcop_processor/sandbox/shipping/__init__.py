"""From a tool on the host to a `Parcel`, or to the reason why it cannot be one."""

from __future__ import annotations

from agentcop_processor.sandbox.shipping.functions import ship_class, ship_function
from agentcop_processor.sandbox.shipping.reasons import STAY, refusal

__all__ = ["STAY", "refusal", "ship_class", "ship_function"]
