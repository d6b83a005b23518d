"""Work that blocks, in a thread of its own, for callers in an event loop: the application's executor stays free."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T], *, name: str, given_up: Callable[[], object]) -> _T:
    """Await what `work` returns or raises. Needs a running asyncio loop.

    A caller that is cancelled does not wait: `given_up` is called, in a thread, and should end `work`.
    """
    import asyncio  # where a loop runs it has been imported

    future: Future[_T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            value = context.run(work)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(value)

    future.set_running_or_notify_cancel()
    threading.Thread(target=run, name=f"agentcop-{name}", daemon=True).start()
    waiting = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        waiting.add_done_callback(lambda ended: ended.exception())  # nobody is left to hear of it
        threading.Thread(target=given_up, name=f"agentcop-{name}-ended", daemon=True).start()
        raise
