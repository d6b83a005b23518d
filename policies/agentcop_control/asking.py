"""Puts one question to one approver and waits, at most until its time is up. Never stands in an event loop's way.

                  sync approver                        async approver
sync caller       a thread; the caller's thread waits  a thread with an event loop of its own; the same
async caller      a thread; the caller awaits          a task in the caller's loop; the caller awaits

An approver outlives its question where it cannot be interrupted; nobody hears it then. Its threads are daemons: none
keeps the process alive.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from concurrent.futures import Future
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from agentcop_control.approval import Answer, Approve, Deny

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentcop_control.approval import Approval, Approver
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict

_log = logging.getLogger("agentcop")
_asking: ContextVar[str] = ContextVar("agentcop_asking", default="")

ReplyKind = Literal["answered", "expired", "failed", "unreachable"]
"""`answered`: with yes or no. `expired`: not in time. `failed`: the approver raised, or said neither. `unreachable`:
there was nobody after all."""


class Unreachable(Exception):  # noqa: N818 -- not a fault: raised by a contact that finds nobody to ask
    """The message says why nobody can be asked, in one clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything an approver may want to see about one held call."""

    approval: Approval
    call: ToolCall
    verdict: Verdict
    arguments: bytes
    """The canonical arguments with secrets redacted."""
    timeout: float
    """Seconds from now."""
    environment: str = ""
    principal: str = ""
    """The user whom the agent works for, if the application said so."""
    approvers: tuple[str, ...] = ()
    """Who may answer, as the policy says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    kind: ReplyKind
    answer: Answer | None = None
    """With `answered`."""
    why: str = ""
    """With `failed` and `unreachable`: one clause, without what an exception said."""
    waited: float = 0.0
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One way to ask."""

    ask: Callable[[Question], object]
    """Returns an `Answer`, or an awaitable of one. May raise `Unreachable`."""
    asynchronous: bool
    """Whether it must be called in an event loop."""
    by: str
    """Who answered, where the answer does not say."""


def contact_of(approver: Approver) -> Contact:
    """The contact for a Python callable."""
    call = getattr(approver, "__call__", None)  # noqa: B004 -- its code is looked at, whether it can be called is known
    return Contact(
        ask=lambda question: approver(question.call, question.approval.deadline),
        asynchronous=inspect.iscoroutinefunction(approver) or inspect.iscoroutinefunction(call),
        by="the approver",
    )


def inside_an_approver() -> bool:
    """Whether this code runs because an approver was asked: it cannot wait for an approval itself."""
    return _asking.get() != ""


def ask(question: Question, contact: Contact, clock: Callable[[], float] = time.monotonic) -> Reply:
    """Ask and block this thread until the answer or the time-out. Raises only what interrupts the waiting."""
    started = clock()
    future = _in_thread(question, contact)
    try:
        reply = future.result(timeout=min(question.timeout, threading.TIMEOUT_MAX))
    except TimeoutError:
        reply = Reply(kind="expired")
    return replace(reply, waited=clock() - started)


async def ask_async(question: Question, contact: Contact, clock: Callable[[], float] = time.monotonic) -> Reply:
    """Ask and await the answer or the time-out. Needs a running asyncio loop. Cancelling it withdraws the question."""
    started = clock()
    waiting: asyncio.Future[Reply]
    if contact.asynchronous:
        waiting = asyncio.get_running_loop().create_task(_answer(question, contact), context=_asking_context(question))
        _keep(waiting)
    else:
        waiting = asyncio.wrap_future(_in_thread(question, contact))
    try:
        await asyncio.wait({waiting}, timeout=question.timeout)
        if not waiting.done():
            reply = Reply(kind="expired")
        elif waiting.cancelled():
            reply = Reply(kind="failed", why="the approver was cancelled")
        else:
            reply = waiting.result()
    finally:
        waiting.cancel()
    return replace(reply, waited=clock() - started)


async def _answer(question: Question, contact: Contact) -> Reply:
    try:
        given = contact.ask(question)
        return _reply(await cast("Awaitable[object]", given) if inspect.isawaitable(given) else given)
    except Exception as error:
        return _failure(error)


def _in_thread(question: Question, contact: Contact) -> Future[Reply]:
    future: Future[Reply] = Future()
    context = _asking_context(question)

    def work() -> None:
        try:
            reply = context.run(_answer_here, question, contact)
        except BaseException as error:  # also SystemExit: whoever waits must hear of it
            reply = _failure(error)
        future.set_result(reply)

    future.set_running_or_notify_cancel()
    threading.Thread(target=work, name=f"agentcop-approval-{question.approval.id}", daemon=True).start()
    return future


def _answer_here(question: Question, contact: Contact) -> Reply:
    given = contact.ask(question)
    if inspect.isawaitable(given):
        return asyncio.run(_awaited(given, question.timeout))
    return _reply(given)


async def _awaited(given: Awaitable[object], timeout: float) -> Reply:  # noqa: ASYNC109 -- of the question, in one place
    try:
        async with asyncio.timeout(timeout) as scope:
            return _reply(await given)
    except TimeoutError as error:
        return Reply(kind="expired") if scope.expired() else _failure(error)


def _reply(given: object) -> Reply:
    if not isinstance(given, Approve | Deny):
        return Reply(kind="failed", why=f"the approver returned {type(given).__name__}, not Approve() or Deny()")
    texts = (given.by, given.message) if isinstance(given, Deny) else (given.by,)
    if not all(isinstance(text, str) for text in texts):
        return Reply(kind="failed", why="the approver's answer holds something else than text")
    return Reply(kind="answered", answer=given)


def _failure(error: BaseException) -> Reply:
    if isinstance(error, Unreachable):
        return Reply(kind="unreachable", why=str(error))
    _log.error("agentcop: the approver failed", exc_info=error)
    return Reply(kind="failed", why=f"the approver raised {type(error).__name__}")


def _asking_context(question: Question) -> Context:
    context = copy_context()
    context.run(_asking.set, question.approval.id)
    return context


_late: set[asyncio.Future[Reply]] = set()


def _keep(task: asyncio.Future[Reply]) -> None:
    """Hold on to a task that may go on after nobody waits for it: the loop alone would let it be collected."""
    _late.add(task)
    task.add_done_callback(_late.discard)
