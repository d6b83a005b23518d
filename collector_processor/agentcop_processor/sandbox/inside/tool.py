"""The tool, made from a parcel, and what one call of it comes to. Only ever in the process that is the tool."""

from __future__ import annotations

import sys

from .wire.frames import dumps
from .wire.values import Unsendable, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

SHOWN = 200
TRACED = 4_000
"""Characters of the `repr` that stands for an argument of an error that cannot be sent."""
TOLD = 4000
"""Characters of an error's text."""
_ARGUMENTS = 16
"""Of an exception that are sent, and exceptions of a group."""
_GROUPS = 3
"""Groups in groups."""
_COROUTINE = 0x80
_GENERATOR = 0x20
_ASYNC_GENERATOR = 0x200
_ITERABLE_COROUTINE = 0x100


class Tool:
    """A callable, ready."""

    __slots__ = ("_flags", "_function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._flags = _flags_of(function)
        if self._flags & _COROUTINE:
            import asyncio  # noqa: F401 -- before the call's time runs

    def call(self, arguments: Any, max_result: int) -> dict[str, object]:
        """The answer: value, error, unsendable or stream. Raises nothing, but may never return."""
        if self._flags & (_GENERATOR | _ASYNC_GENERATOR):
            return {"stream": True}
        try:
            positional = decode(arguments["args"])
            named = decode(arguments["kwargs"])
            value, awaited = self._value(positional, named)
        except BaseException as error:
            return {"error": _told(error, max_result)}
        try:
            return {"value": encode(value, "result"), "awaited": awaited}
        except Unsendable as error:
            return {"unsendable": str(error)}
        except BaseException as error:
            return {"unsendable": f"looking at the result: {said(error)}"}

    def _value(self, positional: Any, named: Any) -> tuple[object, bool]:
        if self._flags & _COROUTINE:
            return _run(lambda: self._function(*positional, **named)), False
        value = self._function(*positional, **named)
        if _awaitable(value):
            return _run(lambda: value), True
        return value, False


def make(parcel: Mapping[str, Any]) -> Tool:
    """The tool, whatever its code does meanwhile. Raises what that raises."""
    import site

    site.main()
    sys.path[:0] = [str(folder) for folder in parcel["path"]]
    module = _from_source(parcel["module"], parcel["source"]) if parcel["source"] else _imported(parcel["module"])
    found: Any = module
    for name in parcel["name"].split("."):
        found = getattr(found, name)
    if parcel["init"] is not None:
        found = made_again(found, decode(parcel["init"]))
    if parcel["method"]:
        found = getattr(found, parcel["method"])
    if not callable(found):
        raise TypeError(f"{parcel['module']}:{parcel['name']} is not callable")
    return Tool(found)


def made_again(cls: Callable[..., Any], init: Any) -> Any:
    """An object of these keyword arguments, each of which its attribute of that name, if it has one, still holds.

    Raises TypeError where the class has made something else of one, as a validator may, and what the class raises.
    """
    made = cls(**init)
    held = getattr(made, "__dict__", {})
    for name, value in init.items():
        other = held.get(name, value)
        if type(other) is not type(value) or (other != value and repr(other) != repr(value)):  # nan is nan
            raise TypeError(f"{cls.__name__} holds another {name} when it is made again of what it held")
    return made


def said(error: BaseException) -> str:
    """Its type and text, as the last line of a traceback says them."""
    return f"{type(error).__name__}: {_text(str, error, TOLD)}"


class _Source:
    """What `linecache`, and with it tracebacks and `inspect`, asks for a module's text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, _name: str) -> str:
        """The module's text."""
        return self._text


def _from_source(name: str, text: str) -> ModuleType:
    module = type(sys)(name)
    module.__file__ = f"/agentcop/source/{name}.py"
    vars(module)["__loader__"] = _Source(text)
    module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 -- what a box is for
    return module


def _imported(name: str) -> ModuleType:
    __import__(name)  # the package importlib itself takes a millisecond to import
    return sys.modules[name]


def _flags_of(function: Any) -> int:
    """The flags of the code behind partials, bound methods and objects that are called."""
    for _ in range(16):
        if hasattr(function, "__func__"):
            function = function.__func__
        elif hasattr(function, "func") and hasattr(function, "keywords"):
            function = function.func
        elif hasattr(function, "__code__"):
            break
        elif isinstance(function, type) or not hasattr(type(function).__call__, "__code__"):
            return 0
        else:
            function = type(function).__call__
    return int(getattr(getattr(function, "__code__", None), "co_flags", 0))


def _awaitable(value: object) -> bool:
    if hasattr(type(value), "__await__"):
        return True
    code = getattr(value, "gi_code", None)
    return code is not None and bool(code.co_flags & _ITERABLE_COROUTINE)


def _run(make_awaitable: Callable[[], Any]) -> object:
    import asyncio

    async def main() -> object:
        return await make_awaitable()

    return asyncio.run(main())


def _told(error: BaseException, max_result: int, depth: int = 0) -> dict[str, object]:
    kind = type(error)
    given: tuple[object, ...] = error.args
    if isinstance(error, OSError) and error.filename is not None:
        given = (error.errno, error.strerror, error.filename)  # its arguments do not have what it is about
        if error.filename2 is not None:
            given += (None, error.filename2)
    if kind is ExceptionGroup:
        given = given[:1]
    more = (f"… +{len(given) - _ARGUMENTS}",) if len(given) > _ARGUMENTS else ()
    given = (*given[:_ARGUMENTS], *more)
    told: dict[str, object] = {
        "module": str(kind.__module__)[:SHOWN],
        "name": str(kind.__qualname__)[:SHOWN],
        "args": [_sendable(argument) for argument in given],
        "held": _held(error),
        "text": _text(str, error, TOLD),
    }
    if kind is ExceptionGroup and depth < _GROUPS and len(error.exceptions) <= _ARGUMENTS:  # type: ignore[attr-defined]  # a group
        told["group"] = [_told(each, max_result, depth + 1) for each in error.exceptions]  # type: ignore[attr-defined]  # a group
    if depth == 0:
        told["trace"] = _trace(error)
        if len(dumps(told)) > max_result // 2:
            told["args"] = [_text(repr, argument, SHOWN) for argument in given]
            told["trace"] = ""
            told["held"] = {}
            told.pop("group", None)
    return told


def _held(error: BaseException) -> dict[str, object]:
    """What an exception's own class keeps in it, beside its arguments: what can be sent of it."""
    found = getattr(error, "__dict__", None)
    held: dict[str, object] = {}
    for name, value in list(found.items())[:_ARGUMENTS] if type(found) is dict else ():
        if type(name) is str and not name.startswith("__"):
            try:
                held[name] = encode(value)
            except Exception:  # noqa: S112 -- as where it is unpickled: the rest of it stands
                continue
    return held


def _trace(error: BaseException) -> str:
    """Where it was raised, as Python prints it; the end, where it is long."""
    import traceback

    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))[-TRACED:]
    except Exception:
        return ""


def _sendable(argument: object) -> object:
    """The argument, or its `repr` where it cannot be sent."""
    try:
        return encode(argument)
    except Exception:
        return _text(repr, argument, TOLD)


def _text(show: Callable[[object], str], value: object, limit: int) -> str:
    """What `show` makes of it, cut with a sign; what goes wrong meanwhile instead of raising it."""
    try:
        text = show(value)
    except BaseException as error:
        text = f"<{type(value).__name__} whose text raises {type(error).__name__}>"
    return text if len(text) <= limit else f"{text[:limit]}… +{len(text) - limit}"
