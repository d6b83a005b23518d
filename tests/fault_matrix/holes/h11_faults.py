"""The gate fails: its policy raises, its log cannot be written, the arguments cannot be read."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import READ, read_file

from agentcop_policies import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tests.fault_matrix.scene import Scene

_ALLOWED = {"allow": ["read_file", "take"]}
_HUNDRED_MEGABYTES = 100 << 20


def _raising(error: Exception) -> Callable[[Scene], AbstractContextManager[None]]:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        def decide(*args: Any, **kwargs: Any) -> Any:
            raise error

        with patch.object(Policy, "decide", decide):
            yield

    return fault


@contextmanager
def _disk_full(scene: Scene) -> Iterator[None]:
    """No file of this process may grow any more, once the agent is wrapped."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    scene.once_wrapped.append(lambda tools: resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard)))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _log_is_a_folder(scene: Scene) -> Iterator[None]:
    with scene.own_home() as home:
        home.mkdir()
        scene.once_wrapped.append(lambda tools: _replace(home))
        yield


def _replace(home: Any) -> None:
    log = home / "gate.log"
    if not log.is_dir():
        log.unlink(missing_ok=True)
        log.mkdir()


def _take(scene: Scene) -> list[Tool]:
    def body(thing: Any) -> str:
        """Take anything."""
        return scene.bodies.note("take")

    return [Tool(name="take", body=body)]


class _Raises:
    """Nothing can be said of it without an error."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]  # hostile on purpose


def _circular() -> Any:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def _deep() -> Any:
    thing: Any = "x"
    for _ in range(400):
        thing = [thing]
    return thing


def _taking(make: Callable[[], Any]) -> Callable[[Scene], Sequence[Sequence[Call]]]:
    return lambda scene: [[Call(tool="take", arguments={"thing": make()})]]


_READING = {"allow": [{"tool": "take", "when": 'args.thing == "fine"'}]}
_FAULTS = {
    "the policy raises": _raising(ValueError("broken")),
    "the policy recurses": _raising(RecursionError("too deep")),
    "out of memory": _raising(MemoryError()),
    "the disk is full": _disk_full,
    "gate.log is a folder": _log_is_a_folder,
}
HOLE = hole(
    11,
    "the gate itself fails",
    [
        *(
            Variant(name=name, tools=read_file, turns=READ, gate=_ALLOWED, permitting=None, fault=fault)
            for name, fault in _FAULTS.items()
        ),
        Variant(
            name="an argument longer than may be",
            tools=_take,
            turns=_taking(lambda: "x" * 5_000),
            gate={**_ALLOWED, "max_argument": "4KiB"},
            permitting=None,
        ),
        Variant(
            name="an argument of 100 MiB",
            tools=_take,
            turns=_taking(lambda: "x" * _HUNDRED_MEGABYTES),
            gate=_ALLOWED,
            permitting=None,
            needs=("objects",),
        ),
        Variant(
            name="400 levels deep", tools=_take, turns=_taking(_deep), gate=_ALLOWED, permitting=None, needs=("depth",)
        ),
        Variant(
            name="half a character",
            tools=_take,
            turns=_taking(lambda: "\ud800"),
            gate=_ALLOWED,
            permitting=None,
            needs=("surrogates",),
        ),
        Variant(
            name="a circle", tools=_take, turns=_taking(_circular), gate=_ALLOWED, permitting=None, needs=("objects",)
        ),
        Variant(
            name="an object whose text raises",
            tools=_take,
            turns=_taking(_Raises),
            gate=_READING,
            permitting=None,
            needs=("objects", "unprintable objects"),
        ),
    ],
)
