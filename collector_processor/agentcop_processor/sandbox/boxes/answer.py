"""From a box's reply to a value or an exception at the caller; what came back is hostile, and runs nothing here."""

from __future__ import annotations

import builtins
import sys
from inspect import getattr_static
from types import ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import (
    AgentCopError,
    ResultTooLarge,
    ResultUnsendable,
    SandboxCrashed,
    SandboxError,
    SandboxTimeout,
)
from agentcop_core.escape import escape, shorten
from agentcop_processor.sandbox.image import PLAIN_TAG, VENV_TAG
from agentcop_processor.sandbox.inside.wire.frames import loads
from agentcop_processor.sandbox.inside.wire.values import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.boxes.conversation import Reply
    from agentcop_processor.sandbox.settings import Settings

_MAX_TEXT: Final = 2_000
_MAX_ARGS: Final = 20
_MAX_TRACE: Final = 4_000
_MAX_PLACE: Final = 1_000_000
"""Of a line or a character in a text with a wrong syntax."""


class Unloadable(SandboxError):  # noqa: N818 -- as its siblings
    """The tool could not be made in the box, or so the box says: a tool that has run could say it too."""


class Given:
    """What a tool gave back."""

    __slots__ = ("awaited", "value")

    def __init__(self, value: object, *, awaited: bool) -> None:
        """`awaited`: the tool is a plain function that gave something to await, and the box has awaited it."""
        self.value = value
        self.awaited = awaited


def given(tool: str, reply: Reply, settings: Settings) -> Given:
    """What the tool returned. Raises what it raised, by type, else a SandboxError."""
    if reply.status == "timeout":
        raise SandboxTimeout(f"{tool}: took longer than sandbox.timeout ({settings.timeout:g} s) and was killed")
    if reply.status == "too_large":
        raise ResultTooLarge(f"{tool}: its result is longer than sandbox.max_result ({settings.max_result} bytes)")
    if reply.status == "crashed":
        raise SandboxCrashed(f"{tool}: ended in its box without a result ({_how(reply.exit)})")
    try:
        answer = _read(tool, loads(reply.result), settings)
    except (ValueError, RecursionError, MemoryError):
        raise SandboxCrashed(f"{tool}: what its box gave back is no answer") from None
    if isinstance(answer, Given):
        return answer
    raise answer


_KINDS: Final = frozenset({"value", "error", "unsendable", "unloadable", "stream"})


def _read(tool: str, answer: object, settings: Settings) -> Given | Exception:
    """What came back, or what is to be raised. Raises ValueError for what is no answer."""
    if not isinstance(answer, dict) or len(answer.keys() & _KINDS) != 1:
        raise ValueError(answer)
    if "value" in answer:
        return Given(decode(answer["value"]), awaited=answer.get("awaited") is True)
    if "unsendable" in answer:
        why = _text(answer["unsendable"])
        return ResultUnsendable(f"{tool}: its result cannot leave the box ({why}): return text, numbers, lists, dicts")
    if "unloadable" in answer:
        return Unloadable(f"{tool}: could not be made in its box: {_text(answer['unloadable'])}{_bake(settings)}")
    if "stream" in answer:
        return Unloadable(f"{tool}: gives a stream, which cannot leave its box: return a list instead")
    return _raised(tool, answer["error"])


def _bake(settings: Settings) -> str:
    if settings.mode != "container":
        return ""
    build = "agentcop sandbox build --from-venv"
    if settings.image == PLAIN_TAG:  # other projects' tools run in it too
        return f"; `{build}` puts this environment's packages into {VENV_TAG}, for sandbox.image"
    return f"; `{build} --tag {settings.image}` puts this environment's packages into the image"


def _raised(tool: str, error: object) -> Exception:
    """The tool's exception: of its own type where that is loaded here, without running its constructor."""
    if not isinstance(error, dict):
        return SandboxError(f"{tool}: failed in its box, and did not say how")
    made = _made(tool, error)
    if made is not None:
        return made
    return _traced(SandboxError(f"{tool}: {_text(error.get('name'))}: {_text(error.get('text'))}"), error)


def _made(tool: str, error: Mapping[str, object]) -> Exception | None:
    """None: it is not loaded here, makes itself in a way of its own, or is none."""
    kind, args = _type(error.get("module"), error.get("name")), error.get("args")
    if kind is None or not isinstance(args, list) or len(args) > _MAX_ARGS:
        return None
    try:
        values = [decode(each) for each in args]
        if kind is ExceptionGroup:
            made: Exception = _grouped(tool, values, error.get("group"))
        elif kind.__module__ == "builtins":
            made = kind(*values)
        else:
            made = kind.__new__(kind, *values)
            made.args = tuple(values)
        _hold(made, error.get("held"))
        _check_shown(made)
        str(made)
        hasattr(made, "__notes__")  # who shows it asks so: a `__getattr__` may need what only its constructor sets
        _traced(made, error)
    except Exception:
        return None
    return made


def _grouped(tool: str, values: list[object], group: object) -> ExceptionGroup[Exception]:
    """Raises ValueError for what is no group."""
    if len(values) != 1 or not isinstance(values[0], str) or not isinstance(group, list) or len(group) > _MAX_ARGS:
        raise ValueError(group)
    return ExceptionGroup(values[0], [_raised(tool, each) for each in group])


def _hold(made: Exception, held: object) -> None:
    """Give it the attributes that it had in the box, none of which takes the place of a method. Raises ValueError."""
    if not isinstance(held, dict):
        return
    if len(held) > _MAX_ARGS:  # more than a child sends: to look at each takes its time
        raise ValueError(len(held))
    for name, value in held.items():
        found = getattr_static(made, name, None)
        if name.isidentifier() and not name.startswith("__") and not hasattr(type(found), "__get__"):
            vars(made)[name] = decode(value)


def _traced(made: Exception, error: Mapping[str, object]) -> Exception:
    """With a note of where it was raised in the box, as far as a person may be shown that."""
    trace = error.get("trace")
    if isinstance(trace, str) and trace:
        lines = trace[-_MAX_TRACE:].splitlines()
        made.add_note("\n".join(("In its box:", *(f"  {escape(line)}" for line in lines))))
    return made


def _check_shown(made: Exception) -> None:
    """Raises ValueError where showing it would read memory beyond its text, or fill this process's with marks.

    CPython trusts the places in its own errors: it reads what stands there, and underlines as far as it is told.
    """
    if isinstance(made, UnicodeDecodeError | UnicodeEncodeError | UnicodeTranslateError):
        # The attributes answer with the nearest place that is one.
        start, end = made.args[-3:-1]
        if not 0 <= start <= end <= len(made.object):
            raise ValueError("it is about a part that its text does not have")
    elif isinstance(made, SyntaxError):
        places = (made.lineno, made.offset, made.end_lineno, made.end_offset)
        if any(place is not None and not _is_place(place) for place in places):
            raise ValueError("it is about a part that no text has")


def _is_place(value: object) -> bool:
    return type(value) is int and -1 <= value <= _MAX_PLACE


def _type(module: object, name: object) -> type[Exception] | None:
    """An exception class that this process has loaded already: nothing is imported because a box names it."""
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    found: object = builtins if module == "builtins" else sys.modules.get(module)
    for part in name.split("."):
        # A module of another type may load itself when it is looked at.
        found = vars(found).get(part) if type(found) in {ModuleType, type} else None
    if type(found) is not type or not issubclass(found, Exception) or issubclass(found, AgentCopError):
        return None
    from agentcop_processor.sandbox.shipping.origins import is_cops  # with all that shipping needs

    if is_cops(module):
        return None  # some of AgentCop's own say that a call was not run, or that there is no box
    # A class that makes itself in a way of its own could be made to run anything.
    return found if found.__module__ == module and _plainly_made(found) and not _steers(found) else None


_STEERING: Final = frozenset(
    {
        ("agents.exceptions", "AgentsException"),
        ("builtins", "StopAsyncIteration"),
        ("builtins", "StopIteration"),
        ("concurrent.futures._base", "CancelledError"),
        ("langgraph.errors", "GraphBubbleUp"),
    }
)
"""What Python's or a framework's own loop obeys rather than reports: an end, a cancelled caller, a pause."""


def _steers(kind: type[Exception]) -> bool:
    return any((cls.__module__, cls.__name__) in _STEERING for cls in kind.__mro__)


def _plainly_made(kind: type[Exception]) -> bool:
    """Whether `__new__` and `__setattr__` are the builtins' own."""
    return all(
        vars(cls).get(method) is None or cls.__module__ == "builtins"
        for cls in kind.__mro__
        for method in ("__new__", "__setattr__", "__getattribute__")
    )


def _how(code: int | None) -> str:
    if code is None:
        return "its box is gone"
    if code == -9:  # noqa: PLR2004 -- SIGKILL
        return "signal 9: killed, as it is for more than sandbox.memory"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _text(value: object) -> str:
    return shorten(escape(value if isinstance(value, str) else repr(value)), _MAX_TEXT)
