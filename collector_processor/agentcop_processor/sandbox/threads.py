"""Work that blocks, in a thread of its own, for callers in an event loop: the application's executor stays free."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Never, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T], *, name: str, given_up: Callable[[], object]) -> _T:
    """Await what `work` returns or raises. Needs a running asyncio loop.

    A caller that is cancelled does not wait: `given_up` is called, and should end `work` without blocking.
    """
    import asyncio  # where a loop runs it has been imported

    # What `work` raises comes as a value: of some exceptions asyncio makes signs of its own, or drops them, and a tool
    # in a box can raise what it likes.
    future: Future[Callable[[], _T]] = Future()
    context = copy_context()

    def run() -> None:
        try:
            value = context.run(work)
        except BaseException as error:
            future.set_result(partial(_raise, error))
        else:
            future.set_result(lambda: value)

    future.set_running_or_notify_cancel()
    threading.Thread(target=run, name=f"agentcop-{name}", daemon=True).start()
    waiting = asyncio.wrap_future(future)
    try:
        ended = await asyncio.shield(waiting)
    except BaseException:  # cancelled, or closed as a coroutine that nobody awaits any more
        given_up()
        raise
    return ended()


def _raise(error: BaseException) -> Never:
    raise error
