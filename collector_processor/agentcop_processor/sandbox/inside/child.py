"""The process that is the tool: it becomes an ordinary Python, makes the tool, waits for arguments, runs it, answers.

Nothing in here is trusted by anybody once the tool's code has begun; it only has to be right for tools that mean well.
"""

from __future__ import annotations

import gc
import os
import resource
import sys

from . import native
from .wire.frames import HEADER, dumps, loads, size_of
from .wire.pipes import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn, TextIO

    from . import tool

_REQUEST, _RESULT = 3, 4
_LONGEST = (1 << 32) - 1  # what four bytes can say; the supervisor refuses far shorter answers by it
_UNANSWERED = 71  # the exit status where the answer could not be written: the tool closed its pipe


def run(
    files: tuple[int, int, int, int, int],
    max_result: int,
    confine: Callable[[], None] | None,
    env: Mapping[str, str],
) -> NoReturn:
    """Never returns. `files`: an empty one, then the ends of the stdout, stderr, request and result pipes."""
    _only(files)
    _ordinary()
    import site  # noqa: F401 -- this and the next take their time before the tool is known, and the supervisor none

    from . import tool

    made: tool.Tool | None = None
    answer: dict[str, object] = {}
    try:
        if confine is not None:
            confine()
        parcel: Any = loads(_read_frame())
        os.environ.update(env)
        os.environ.update(parcel["env"])
        made = tool.make(parcel)
    except BaseException as error:
        answer = {"unloadable": tool.said(error)}
    arguments = _read_frame()
    os.close(_REQUEST)
    if made is not None:
        answer = made.call(loads(arguments), max_result)
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        try:
            getattr(sys, name).flush()
        except Exception:  # noqa: S112 -- what the tool did to its own streams is no fault of its result
            continue
    status = 0
    try:
        data = dumps(answer)
        write_all(_RESULT, [min(len(data), _LONGEST).to_bytes(HEADER, "big"), data])
    except (OSError, ValueError):
        status = _UNANSWERED
    os._exit(status)


def _only(files: tuple[int, ...]) -> None:
    """Files 0 to 4 are these, all others are closed, and neither 3 nor 4 outlives an exec."""
    for number, file in enumerate([_above(file, len(files)) for file in files]):
        os.dup2(file, number, inheritable=number < _REQUEST)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > _RESULT:
            try:
                os.close(int(name))
            except OSError:
                continue  # the one that listed them


def _above(file: int, number: int) -> int:
    """The file under a number that is at least this one; copies below are left for whoever closes all."""
    while file < number:
        file = os.dup(file)
    return file


def _ordinary() -> None:
    """Give up what only the supervisor is: its signals, its session, and that others may not look at it."""
    os.setsid()
    gc.unfreeze()
    native.usual_signals()
    native.set_dumpable(dumpable=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))  # a queue would be there for the next call
    try:
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, b"1000")  # the kernel then ends the tool, not pid 1, when the box's memory is full
        os.close(file)
    except OSError:
        pass  # where it is not offered, the box may end with the tool
    sys.argv = [""]
    # The streams that Python made were of other files; by line, so that a killed tool's last lines are not lost.
    stdin, stdout, stderr = open(0, encoding="utf-8", closefd=False), _writing(1), _writing(2)  # noqa: SIM115 -- for good
    vars(sys).update(stdin=stdin, stdout=stdout, stderr=stderr, __stdin__=stdin, __stdout__=stdout, __stderr__=stderr)


def _writing(file: int) -> TextIO:
    return open(file, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _read_frame() -> bytes:
    return _read(size_of(_read(HEADER)))


def _read(size: int) -> bytes:
    pieces = []
    while size:
        piece = os.read(_REQUEST, size)
        if not piece:
            os._exit(_UNANSWERED)  # there is no supervisor any more
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
