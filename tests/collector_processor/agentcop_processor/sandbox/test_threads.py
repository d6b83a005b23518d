"""Work in a thread, awaited: every end of it reaches its caller, and a caller that gives up waits for nothing."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pytest

from agentcop_processor.sandbox.threads import in_thread

AMPLE = 20.0


def ended_by(error: BaseException) -> BaseException | None:
    """What an awaiting caller gets of work that raises `error`; None: nothing, it waits for ever."""

    def work() -> None:
        raise error

    async def caller() -> BaseException | None:
        task = asyncio.ensure_future(in_thread(work, name="test", given_up=lambda: None))
        done, _ = await asyncio.wait({task}, timeout=AMPLE)
        if not done:
            task.cancel()
            return None
        return task.exception() if not task.cancelled() else asyncio.CancelledError()

    return asyncio.run(caller())


@pytest.mark.parametrize("error", [StopIteration(1), StopAsyncIteration(), concurrent.futures.CancelledError()])
def test_what_asyncio_takes_for_a_sign_of_its_own_ends_the_wait_as_an_error(error: BaseException) -> None:
    got = ended_by(error)
    assert got is not None
    assert not isinstance(got, asyncio.CancelledError | StopIteration)


def test_an_ordinary_error_comes_as_it_is() -> None:
    error = ValueError("x")
    assert ended_by(error) is error


def test_a_caller_that_gives_up_does_not_wait_for_the_work() -> None:
    release, told = threading.Event(), threading.Event()

    async def caller() -> None:
        task = asyncio.ensure_future(in_thread(lambda: release.wait(AMPLE), name="test", given_up=told.set))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not release.is_set()

    try:
        asyncio.run(caller())
        assert told.wait(AMPLE)
    finally:
        release.set()


def test_a_coroutine_that_is_closed_in_the_middle_has_its_work_ended() -> None:
    release, told = threading.Event(), threading.Event()

    async def caller() -> None:
        waiting = in_thread(lambda: release.wait(AMPLE), name="test", given_up=told.set)
        waiting.send(None)
        waiting.close()

    asyncio.run(caller())
    release.set()
    assert told.is_set()
