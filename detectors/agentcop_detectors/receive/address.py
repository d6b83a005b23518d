"""Where the front listens, and with which certificate."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_core.errors import AgentCopError

if TYPE_CHECKING:
    from pathlib import Path


class CannotListen(AgentCopError):  # noqa: N818 -- what cannot be done
    """An address is taken, or must not be bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. Port 0: any free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files in PEM form; with `clients`, only clients whose certificate that authority signed."""

    certificate: Path
    key: Path
    clients: Path | None = None
