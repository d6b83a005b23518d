"""Policies that come with AgentCop, to start from: `extends: pack:NAME`."""

from __future__ import annotations

from importlib import resources


def names() -> tuple[str, ...]:
    """The packs there are, by name."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


def text(name: str) -> bytes:
    """The YAML of one pack. Raises KeyError if there is none of this name."""
    if name not in names():
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.yaml").read_bytes()
