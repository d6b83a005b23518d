"""Where tests of boxed calls run: on the engines that `scripts/groups/sandbox` has started, and by bubblewrap."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Engine = Literal["docker", "podman", "process"]
ENGINES: tuple[Engine, ...] = ("docker", "podman", "process")
_SOCKETS = {"docker": "TEST_DOCKER", "podman": "TEST_PODMAN"}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine that a container policy finds here; `process` finds none, and is for `mode: process`."""
    name: Engine = request.param
    use(name, monkeypatch)
    return name


def use(name: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process find this engine and no other."""
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        monkeypatch.delenv(variable, raising=False)
    if name in _SOCKETS:
        monkeypatch.setenv("DOCKER_HOST", os.environ[_SOCKETS[name]])


def mode(name: Engine) -> str:
    """The `sandbox.mode` that this engine is for."""
    return "process" if name == "process" else "container"


@pytest.fixture(autouse=True)
def nothing_is_left(agentcop_home: object) -> Iterator[None]:
    """After each test its runner is closed: no box of one test waits for another."""
    from agentcop_processor.sandbox.boxes import runner

    yield
    for made in list(runner._by_home.values()):  # noqa: SLF001 -- there is no other way to all of them
        made.close()
    runner._by_home.clear()  # noqa: SLF001 -- as above
