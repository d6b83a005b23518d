"""Which engines are here to be tried."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from tests.escape.places import Boxed

from agentcop_processor.sandbox.engine import EngineDown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES: Final = ("docker", "podman", "process")
_VARIABLES: Final = {"docker": "TEST_DOCKER", "podman": "TEST_PODMAN"}


def place(name: str) -> Boxed:
    """The boxes of this engine. Raises EngineDown with the reason where there are none."""
    if name == "process":
        from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine

        return Boxed(ProcessEngine())
    from agentcop_processor.sandbox.containers.found import found

    environ = _environ(name)
    for engine in found(environ):
        if engine.name == name:
            return Boxed(engine)
    raise EngineDown(f"no {name} answers here")


def places(names: Sequence[str]) -> tuple[list[Boxed], dict[str, str]]:
    """Those of the engines named that are here, and why the others are not."""
    here: list[Boxed] = []
    missing: dict[str, str] = {}
    for name in names:
        try:
            here.append(place(name))
        except EngineDown as down:
            missing[name] = str(down)
    return here, missing


def sockets() -> tuple[str, ...]:
    """The engines' sockets on the host, for probes to try."""
    return tuple(
        os.environ[variable].removeprefix("unix://") for variable in _VARIABLES.values() if variable in os.environ
    )


def _environ(name: str) -> Mapping[str, str]:
    address = os.environ.get(_VARIABLES[name])
    if address is None:
        return os.environ
    return {**os.environ, "DOCKER_HOST": address, "CONTAINER_HOST": address}
