"""Which engine a box comes from: one of the policy's mode, and nothing in its place that the policy does not name."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from agentcop_processor.sandbox.bubblewrap import process
from agentcop_processor.sandbox.containers import found
from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.engines.choice import Choice
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from agentcop_processor.sandbox.engine import Engine

AMPLE = 20.0
CONTAINER = Settings(mode="container")
FALLBACK = Settings(mode="container", fallback=True)


class Named:
    """An engine, as far as it is chosen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.may_end = threading.Event()
        self.swept = threading.Event()

    def sweep(self) -> int:
        self.may_end.wait(AMPLE)
        self.swept.set()
        return 0


def engines(*names: str) -> tuple[Engine, ...]:
    return tuple(cast("Any", Named(name)) for name in names)


@pytest.fixture
def chosen() -> Choice:
    """Docker and Podman have answered, and bubblewrap is there."""
    made = Choice()
    made._containers = engines("docker", "podman")  # noqa: SLF001 -- as after a look at this machine
    (made._process,) = engines("process")  # noqa: SLF001 -- as above
    return made


def failing(**faults: EngineDown) -> Any:
    def use(engine: Engine) -> str:
        if engine.name in faults:
            raise faults[engine.name]
        return engine.name

    return use


DOWN = EngineDown("it does not answer")
WRONG = EngineDown("has another image than is pinned", wrong=True)


def test_the_first_engine_that_works_is_used(chosen: Choice) -> None:
    assert chosen.first(CONTAINER, failing()) == "docker"
    assert chosen.first(CONTAINER, failing(docker=DOWN)) == "podman"
    assert chosen.first(CONTAINER, failing(docker=WRONG)) == "podman"
    assert chosen.first(Settings(mode="process"), failing()) == "process"


def test_without_a_fallback_nothing_stands_in(chosen: Choice) -> None:
    with pytest.raises(EngineDown, match="it does not answer; it does not answer"):
        chosen.first(CONTAINER, failing(docker=DOWN, podman=DOWN))


def test_a_fallback_stands_in_where_no_engine_answers_and_that_is_said_once(
    chosen: Choice, caplog: pytest.LogCaptureFixture
) -> None:
    assert chosen.first(FALLBACK, failing(docker=DOWN, podman=DOWN)) == "process"
    chosen._containers = engines("docker")  # noqa: SLF001 -- as after a look at this machine
    assert chosen.first(FALLBACK, failing(docker=DOWN)) == "process"
    assert caplog.text.count("tools run in mode process, not container") == 1


def test_no_fallback_stands_in_for_a_box_that_does_not_hold_or_an_image_that_is_not_the_pinned_one(
    chosen: Choice,
) -> None:
    with pytest.raises(EngineDown, match="another image") as down:
        chosen.first(FALLBACK, failing(docker=DOWN, podman=WRONG))
    assert down.value.wrong


def test_no_call_waits_until_what_dead_processes_left_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Named("docker")
    monkeypatch.setattr(found, "found", lambda _: (slow,))
    assert Choice().first(CONTAINER, failing()) == "docker"
    assert not slow.swept.is_set()
    slow.may_end.set()
    assert slow.swept.wait(AMPLE)


def test_what_dead_processes_left_of_bubblewrap_is_removed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    swept = threading.Event()
    monkeypatch.setattr(process.ProcessEngine, "sweep", lambda _: swept.set())
    assert Choice().first(Settings(mode="process"), failing()) == "process"
    assert swept.wait(AMPLE)
