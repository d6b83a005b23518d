"""Asks on the terminal of this process, /dev/tty: whatever stdin and stdout are, and never through them."""

from __future__ import annotations

import getpass
import os
import select
import threading
from typing import TYPE_CHECKING, Final, Self

from agentcop_control.approval import Approve, Deny
from agentcop_control.asking import Contact, Unreachable
from agentcop_control.ledger import LEDGER, ApprovalRefused
from agentcop_control.showing import lines
from agentcop_core.escape import escape

if TYPE_CHECKING:
    from agentcop_control.approval import Answer
    from agentcop_control.asking import Question

_LOOK: Final = 0.2  # seconds between looks at whether the question still stands
_MAX_ANSWER: Final = 4_096
_ASK: Final = "Approve this call? yes / no [message]: "
_AGAIN: Final = "Please type yes, or no and perhaps a message: "


class _Prompt:
    """One question at a time: parallel calls queue here."""

    lock = threading.Lock()


def _forked() -> None:
    _Prompt.lock = threading.Lock()  # the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def ask_on_terminal(question: Question, path: str = "/dev/tty") -> Answer:
    """Show the call and wait for yes or no, until the question is withdrawn or its time is up. Blocks.

    What was typed before the question stood there does not count. Raises Unreachable where there is no terminal, or
    this process is not in its foreground.
    """
    while not _Prompt.lock.acquire(timeout=_LOOK):
        _stands(question)
    try:
        _stands(question)
        with _Terminal(path) as terminal:
            return _asked(question, terminal)
    except OSError as error:
        raise Unreachable(f"the terminal cannot be read ({error.strerror})") from None
    finally:
        _Prompt.lock.release()


TERMINAL: Final = Contact(ask=ask_on_terminal, asynchronous=False, by="the terminal")


def _asked(question: Question, terminal: _Terminal) -> Answer:
    by = f"{_user()} (terminal)"
    columns, rows = terminal.size()
    shown = lines(question, width=columns - 1)
    page = max(10, rows - 3)
    for at in range(0, len(shown), page):
        terminal.write("".join(f"{line}\n" for line in shown[at : at + page]))
        if at + page < len(shown):
            more = f"-- {at + page:,} of {len(shown):,} lines shown; Enter for more, no [message] to deny: "
            while (answer := terminal.ask(more, question)) is not None and answer.strip():
                if denied := _denial(answer, by):
                    return denied
    prompt = _ASK
    while (answer := terminal.ask(prompt, question)) is not None:
        if answer.strip().lower() in {"y", "yes"}:
            terminal.write(f"Approved {question.approval.id}.\n")
            return Approve(by=by)
        if denied := _denial(answer, by):
            terminal.write(f"Denied {question.approval.id}.\n")
            return denied
        prompt = _AGAIN
    raise Unreachable("the terminal was closed before anybody answered")


def _denial(answer: str, by: str) -> Deny | None:
    word, _, message = answer.strip().partition(" ")
    return Deny(escape(message.strip()), by=by) if word.lower().rstrip(":,") in {"n", "no"} else None


def _stands(question: Question) -> None:
    """Raises Unreachable, which nobody hears any more, when the question was withdrawn."""
    try:
        pending = LEDGER.get(question.approval.id).state == "pending"
    except ApprovalRefused:
        pending = False
    if not pending:  # whoever waits looks at the clock
        raise Unreachable("nobody answered on the terminal in time")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


class _Terminal:
    """An open terminal in this process's foreground."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> Self:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise Unreachable(f"this process has no terminal to ask on ({error.strerror})") from None
        try:
            # Reading from the background would stop the whole process.
            foreground = os.isatty(self._fd) and os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            foreground = False
        if not foreground:
            os.close(self._fd)
            raise Unreachable("this process is not in the foreground of a terminal")
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        columns, rows = os.get_terminal_size(self._fd)
        return (columns or 80, rows or 24)

    def write(self, text: str) -> None:
        """All of `text`, which is escaped already."""
        left = text.encode("utf-8", "backslashreplace")
        while left:
            left = left[os.write(self._fd, left) :]

    def ask(self, prompt: str, question: Question) -> str | None:
        """One line typed after the prompt stood there; None at the end of the terminal. Raises Unreachable if late."""
        import termios

        termios.tcflush(self._fd, termios.TCIFLUSH)
        self.write(prompt)
        typed = b""
        while not typed.endswith((b"\n", b"\r")):
            try:
                _stands(question)
            except Unreachable:
                self.write(f"\nToo late: {question.approval.id} is not waiting any more.\n")
                raise
            ready, _, _ = select.select([self._fd], [], [], _LOOK)
            if not ready:
                continue
            got = os.read(self._fd, _MAX_ANSWER)
            if not got:
                return None
            typed += got
            if len(typed) > _MAX_ANSWER:
                return "no: the answer was too long to read"
        return typed.decode("utf-8", "replace")
