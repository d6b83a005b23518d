"""What one call's box must be: a policy's `sandbox` section, resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A header that the egress proxy adds outside of the box, to requests for one place."""

    place: str
    """`host:port`, exact."""
    header: str
    """Its name."""
    value: str
    """Never in a log, a `repr`, or the box."""

    def __repr__(self) -> str:
        return f"Secret(place={self.place!r}, header={self.header!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that decides how a box is made: equal settings may share warm boxes. Sizes in bytes, times in seconds."""

    mode: Literal["container", "process"] = "container"
    image: str = "agentcop/agent-sandbox:2.0"
    image_digest: str = ""
    """The image's id, `sha256:…`; "" where the policy pins none."""
    timeout: float = 60.0
    memory: int = 268_435_456
    pids: int = 64
    cpus: float = 1.0
    tmpfs: int = 16_777_216
    max_result: int = 1_048_576
    max_stdout: int = 65_536
    network: Literal["public", "none"] | tuple[str, ...] = "public"
    """`public`: public addresses through the proxy; `none`; or the only `host:port` that it lets through."""
    secrets: tuple[Secret, ...] = ()
    mounts: tuple[str, ...] = ()
    """As the policy has them: `SOURCE:/TARGET`, with `:ro` or `:rw`."""
    env: tuple[str, ...] = ()
    """Names of the host's variables that the tool may see."""
    reuse: Literal["never", "per_agent"] = "never"
    pool: int = 1
    runtime: str = ""
    """The container runtime, as `runsc`; "" for the engine's default."""
    fallback: bool = False
    """Whether `process` may stand in where no container engine answers."""
