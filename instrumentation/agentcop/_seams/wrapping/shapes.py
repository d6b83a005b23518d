"""The shapes a call can have: plain, coroutine, generator, async generator. One wrapper for each.

What stands around the call (a tool's passage, an agent's entry) is a `Step`; a wrapper only says when it begins,
pauses and ends. Nothing of the call runs before its `begin`, and the step of a generator is current only while the
generator itself runs.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Literal

from agentcop._seams.wrapping.step import Answered, Begin, Begun, Step, seeing

if TYPE_CHECKING:
    from agentcop._seams.wrapping.later import Later


_PLAIN = frozenset({str, dict, list, tuple, int, float, bool, type(None), bytes})
_Rest = Literal["generator", "async generator", "awaitable"]
"""What still has to happen to a result: it is iterated or awaited by the caller."""


def shaped(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """A function of the same shape as `original`, with `begin` before it. Carries none of its names: see `dress`."""
    if inspect.iscoroutinefunction(original):
        return _coroutine(original, begin)
    if inspect.isasyncgenfunction(original):
        return _async_generator(original, begin)
    if inspect.isgeneratorfunction(original):
        return _generator(original, begin)
    return _plain(original, begin)


def _plain(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as the wrapped callable
        try:
            begun = begin(args, kwargs)
            step, args, kwargs = begun if isinstance(begun, tuple) else begun.wait()
        except Answered as refused:
            return refused.answer
        if step is None:
            return original(*args, **kwargs)
        try:
            step.started()
            result = original(*args, **kwargs)
        except BaseException as error:
            step.failed(error)
            raise
        kind = type(result)
        # A class with a metaclass of its own may not be hashable.
        rest = None if type(kind) is type and kind in _PLAIN else _unfinished(result)
        if rest is not None:
            return _follow(result, rest, step)
        step.returned(result)
        return result

    return call


def _unfinished(result: object) -> _Rest | None:
    """What still has to happen to a plain function's result. A result that raises when it is asked is finished."""
    try:
        if inspect.isgenerator(result):
            return "generator"
        if isinstance(result, AsyncGenerator):
            return "async generator"
        return "awaitable" if inspect.isawaitable(result) else None
    except Exception:
        # A proxy that is bound to nothing, a metaclass of its own making: the tool has run, and this is what it gave.
        return None


def _follow(result: Any, rest: _Rest, step: Step) -> Any:  # noqa: ANN401 -- as the wrapped callable
    """A result that still has to be awaited or iterated; it keeps its step until it is."""
    step.suspend()
    match rest:
        case "generator":
            return _drive(result, step)
        case "async generator":
            return _async_generator(lambda: result, lambda args, kwargs: (step, args, kwargs))()
        case "awaitable":
            return _await(result, step)


def _coroutine(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as the wrapped callable
        try:
            begun = begin(args, kwargs)
            step, args, kwargs = begun if isinstance(begun, tuple) else await begun.awaited()
        except Answered as refused:
            return refused.answer
        if step is None:
            return await original(*args, **kwargs)
        try:
            step.started()
            result = await original(*args, **kwargs)
        except BaseException as error:
            step.failed(error)
            raise
        step.returned(result)
        return result

    return call


def awaited(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Any]:
    """`original` in the shape of a coroutine function, for callers that await whatever it gives."""
    return _coroutine(original, begin)


def called_back(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """`original` in its own shape, for callers that await what it gives if that can be awaited.

    While a person is asked, it gives something to await where an event loop runs, which then goes on meanwhile.
    """

    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as the wrapped callable
        try:
            begun = begin(args, kwargs)
        except Answered as refused:
            return refused.answer
        if isinstance(begun, tuple) or not _in_event_loop():
            return go_on(begun)
        return wait(begun)

    def go_on(begun: Begun | Later[Begun]) -> Any:  # noqa: ANN401 -- as the wrapped callable
        return _plain(original, lambda args, kwargs: begun)()  # noqa: ARG005 -- they are in what is begun

    async def wait(begun: Later[Begun]) -> Any:  # noqa: ANN401 -- as the wrapped callable
        try:
            granted = await begun.awaited()
        except Answered as refused:
            return refused.answer
        result = go_on(granted)
        return await result if inspect.isawaitable(result) else result

    return call


def _in_event_loop() -> bool:
    # Without asyncio nobody has made a loop, and importing it is not free.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001 -- documented for frameworks


async def _await(awaitable: Awaitable[Any], step: Step) -> Any:  # noqa: ANN401 -- as the wrapped callable
    try:
        step.resume()
        result = await awaitable
    except BaseException as error:
        step.failed(error)
        raise
    step.returned(result)
    return result


def _generator(original: Callable[..., Generator[Any, Any, Any]], begin: Begin) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        try:
            begun = begin(args, kwargs)
            step, args, kwargs = begun if isinstance(begun, tuple) else begun.wait()
        except Answered as refused:
            yield refused.answer
            return None
        generator = original(*args, **kwargs)
        if step is None:
            return (yield from generator)
        step.suspend()
        return (yield from _drive(generator, step))

    return call


def _drive(generator: Generator[Any, Any, Any], step: Step) -> Generator[Any, Any, Any]:
    """`yield from generator`, with the step current only while the generator runs."""
    advance: Callable[[], Any] = generator.__next__
    see = seeing(step)
    while True:
        try:
            step.resume()
            item = advance()
        except StopIteration as stop:
            step.returned(stop.value)
            return stop.value
        except BaseException as error:
            step.failed(error)
            raise
        step.suspend()
        if see is not None:
            see(item)
        try:
            sent = yield item
        except GeneratorExit:
            # In a context of its own: CPython 3.11 collects garbage in the middle of setting a context variable, and
            # crashes if what it collects sets another one there.
            copy_context().run(_close_now, generator, step)
            raise
        except BaseException as thrown:
            advance = _thrower(generator, thrown)
        else:
            advance = generator.__next__ if sent is None else _sender(generator, sent)


def _close_now(generator: Generator[Any, Any, Any], step: Step) -> None:
    try:
        step.resume()
        generator.close()
    except BaseException as error:
        step.failed(error)
        raise
    step.returned(None)


def _sender(generator: Generator[Any, Any, Any], value: object) -> Callable[[], Any]:
    return lambda: generator.send(value)


def _thrower(generator: Generator[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: generator.throw(error)


def _async_generator(original: Callable[..., AsyncGenerator[Any, Any]], begin: Begin) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        try:
            begun = begin(args, kwargs)
            watching, args, kwargs = begun if isinstance(begun, tuple) else await begun.awaited()
        except Answered as refused:
            yield refused.answer
            return
        step = watching or _Unwatched()
        step.suspend()
        generator = original(*args, **kwargs)
        advance: Callable[[], Awaitable[Any]] = generator.__anext__
        see = seeing(step)
        while True:
            try:
                step.resume()
                item = await advance()
            except StopAsyncIteration:
                step.returned(None)
                return
            except BaseException as error:
                step.failed(error)
                raise
            step.suspend()
            if see is not None:
                see(item)
            try:
                sent = yield item
            except GeneratorExit:
                await _close(generator, step)
                raise
            except BaseException as thrown:
                advance = _async_thrower(generator, thrown)
            else:
                advance = generator.__anext__ if sent is None else _async_sender(generator, sent)

    return call


async def _close(generator: AsyncGenerator[Any, Any], step: Step) -> None:
    try:
        step.resume()
        await generator.aclose()
    except BaseException as error:
        step.failed(error)
        raise
    step.returned(None)


class _Unwatched:
    """The step of a call that nobody watches."""

    def started(self) -> None:
        """Nothing to begin."""

    def resume(self) -> None:
        """Nothing to make current."""

    def suspend(self) -> None:
        """Nothing to give back."""

    def returned(self, result: object) -> None:
        """Nothing to record."""

    def failed(self, error: BaseException) -> None:
        """Nothing to record."""


def _async_sender(generator: AsyncGenerator[Any, Any], value: object) -> Callable[[], Awaitable[Any]]:
    return lambda: generator.asend(value)


def _async_thrower(generator: AsyncGenerator[Any, Any], error: BaseException) -> Callable[[], Awaitable[Any]]:
    return lambda: generator.athrow(error)
