"""Bodies that are coroutines or generators, and bodies that call other tools from threads without context."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import BLOCKED, READ, SHADOW, read_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from tests.fault_matrix.attempt import Ran
    from tests.fault_matrix.scene import Scene


def _coroutine(scene: Scene) -> list[Tool]:
    async def body(path: str) -> str:
        """Read a file."""
        await asyncio.sleep(0)
        return scene.bodies.note("read_file", path=path)

    return [Tool(name="read_file", body=body)]


def _generator(scene: Scene) -> list[Tool]:
    def body(path: str) -> Iterator[str]:
        """Read a file."""
        yield scene.bodies.note("read_file", path=path)

    return [Tool(name="read_file", body=body)]


def _async_generator(scene: Scene) -> list[Tool]:
    async def body(path: str) -> AsyncIterator[str]:
        """Read a file."""
        yield scene.bodies.note("read_file", path=path)

    return [Tool(name="read_file", body=body)]


def _returns_a_coroutine(scene: Scene) -> list[Tool]:
    """A plain function that gives a coroutine to await."""

    async def rest(path: str) -> str:
        return scene.bodies.note("read_file", path=path)

    def body(path: str) -> object:
        """Read a file."""
        return rest(path)

    return [Tool(name="read_file", body=body)]


def _quietly(scene: Scene) -> None:
    try:
        if scene.job is not None:
            scene.job.ask("read_file", {"path": SHADOW})
    except Exception:
        return


def _bare_thread(scene: Scene) -> None:
    thread = threading.Thread(target=_quietly, args=(scene,))
    thread.start()
    thread.join()


def _pool(scene: Scene) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_quietly, scene).result()


def _own_loop(scene: Scene) -> None:
    """An event loop of its own on a thread of its own, and a worker thread of that."""

    async def work() -> None:
        await asyncio.get_running_loop().run_in_executor(None, _quietly, scene)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work()).result()


def _timer(scene: Scene) -> None:
    timer = threading.Timer(0.0, _quietly, (scene,))
    timer.start()
    timer.join()


def _calling(by: Callable[[Scene], None]) -> Callable[[Scene], Sequence[Tool]]:
    def tools(scene: Scene) -> list[Tool]:
        def body(query: str) -> str:
            """Search, and read a file on the way."""
            by(scene)
            return scene.bodies.note("search", query=query)

        return [Tool(name="search", body=body), *read_file(scene)]

    return tools


def _reading(ran: Ran) -> bool:
    return ran.tool == "read_file"


_SEARCH = [[Call(tool="search", arguments={"query": "x"})]]
_WAYS = {"a bare thread": _bare_thread, "a pool": _pool, "a loop of its own": _own_loop, "a timer": _timer}
HOLE = hole(
    10,
    "coroutines, generators, threads that lost their context",
    [
        Variant(name="a coroutine", tools=_coroutine, turns=READ, gate=BLOCKED, needs=("async bodies",)),
        Variant(name="a generator", tools=_generator, turns=READ, gate=BLOCKED, needs=("generator bodies",)),
        Variant(
            name="an async generator",
            tools=_async_generator,
            turns=READ,
            gate=BLOCKED,
            needs=("generator bodies", "async agent"),
        ),
        Variant(
            name="a coroutine that a function gives",
            tools=_returns_a_coroutine,
            turns=READ,
            gate=BLOCKED,
            needs=("generator bodies",),
        ),
        *(
            Variant(
                name=f"a body that calls another tool on {name}",
                tools=_calling(by),
                turns=_SEARCH,
                gate=BLOCKED,
                forbidden=_reading,
                still=lambda ran: ran.tool == "search",
            )
            for name, by in _WAYS.items()
        ),
    ],
)
