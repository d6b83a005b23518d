"""What one call's box must be: a policy's `sandbox` section, resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

BoxMode = Literal["container", "process"]
"""A `sandbox.mode` that is a box at all."""
_DIGEST: Final = "sha256:"
Network = Literal["public", "none"] | tuple[str, ...]
"""`public`: public addresses through the proxy; `none`; or the only `host:port` that it lets through."""


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

    mode: BoxMode = "container"
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
    network: Network = "public"
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


def whole_id(image_id: str) -> str:
    """An image's id with the `sha256:` that policies and engines may leave out; "" stays empty."""
    return _DIGEST + image_id.removeprefix(_DIGEST) if image_id else ""


class Disagree(Exception):  # noqa: N818 -- an answer, not a fault
    """Two policies judge one call, and no box is what both ask for: the message says why."""


def meet(one: Settings, other: Settings) -> Settings:
    """The box that both policies allow: in each key the stricter. Raises Disagree."""
    if one == other:
        return one
    containers = [each for each in (one, other) if each.mode == "container"]  # of an image no other mode says anything
    for key in ("image", "image_digest", "runtime"):
        if len({getattr(each, key) for each in containers} - {""}) > 1:
            raise Disagree(f"two policies judge this call and ask for different boxes: sandbox.{key} differs")
    smallest = {
        key: min(getattr(one, key), getattr(other, key))
        for key in ("timeout", "memory", "pids", "cpus", "tmpfs", "max_result", "max_stdout", "pool")
    }
    return replace(
        one,
        **smallest,
        mode="container" if containers else "process",
        image=(containers or [one])[0].image,
        image_digest=one.image_digest or other.image_digest,
        network=_narrower(one.network, other.network),
        secrets=tuple(each for each in one.secrets if each in other.secrets),
        mounts=tuple(each for each in one.mounts if each in other.mounts),
        env=tuple(each for each in one.env if each in other.env),
        reuse="never" if "never" in {one.reuse, other.reuse} else "per_agent",
        runtime=one.runtime or other.runtime,
        fallback=one.fallback and other.fallback,
    )


def _narrower(one: Network, other: Network) -> Network:
    if one == "public":
        return other
    if other == "public" or one == "none":
        return one
    if other == "none":
        return other
    return tuple(each for each in one if each in other)
