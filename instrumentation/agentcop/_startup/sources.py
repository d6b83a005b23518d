"""Where the code of an agent and of its tools is: the files that the start-up scan looks at."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import site
import sys
import sysconfig
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Final, TypeGuard, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_T = TypeVar("_T")
_MOST_OBJECTS: Final = 5_000
_OURS: Final = ("agentcop", "agentcop_")
_LEAVES: Final = (
    str,
    bytes,
    bytearray,
    int,
    float,
    complex,
    bool,
    type(None),
    ModuleType,
    BuiltinFunctionType,
    CodeType,
)


@dataclass(slots=True, kw_only=True)
class Sources:
    """The files of some objects."""

    first_party: set[str] = field(default_factory=set)
    """Of the project: neither installed nor Python's own nor ours."""
    installed: set[str] = field(default_factory=set)
    """Of tools that were installed."""
    missing: set[str] = field(default_factory=set)
    """What has code and no file: typed in, a notebook's cell, compiled; by its name."""
    complete: bool = True
    """False: there were more objects than are looked at."""


def sources_of(obj: object) -> Sources:
    """The files of the functions and classes that `obj` is made of, and holds, and they hold.

    Looks at attributes, lists and dicts as they are; runs no property and no code of the object's.
    """
    found = Sources()
    seen: set[int] = set()
    todo: deque[object] = deque([obj])
    kept: list[object] = []  # an id is only one as long as its object lives
    while todo:
        one = todo.popleft()
        if _is(one, *_LEAVES) or id(one) in seen:
            continue
        if len(seen) >= _MOST_OBJECTS:
            found.complete = False
            break
        seen.add(id(one))
        kept.append(one)
        _note(one, found)
        todo.extend(_held(one))
    return found


def source_of_caller() -> Sources:
    """The file of the innermost function on this thread's stack that is the project's own."""
    found = Sources()
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- inspect.stack reads every source file
    while frame is not None:
        path = frame.f_code.co_filename
        name = frame.f_globals.get("__name__", "")
        if not _is_ours(name) and not path.startswith("<frozen"):
            if not os.path.isfile(path):  # noqa: PTH113 -- once per frame
                found.missing.add(f"{name} ({path})")
                return found
            if not is_installed(path):
                found.first_party.add(os.path.abspath(path))  # noqa: PTH100 -- links stay as they are
                return found
        frame = frame.f_back
    return found


@cache
def is_installed(path: str) -> bool:
    """Whether a file is Python's own or was installed, and so is not the project's."""
    real = os.path.realpath(path)
    return any(real.startswith(folder) for folder in _installed_folders()) or bool(
        {"site-packages", "dist-packages"} & set(Path(real).parts)
    )


@cache
def is_pythons_own(path: str) -> bool:
    """Whether a file is of the standard library, which is neither the project's nor a dependency of it."""
    if {"site-packages", "dist-packages"} & set(Path(path).parts):
        return False
    real = os.path.realpath(path)
    folders = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    return any(real.startswith(os.path.realpath(folder) + os.sep) for folder in folders if folder)


@cache
def _installed_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names} | set(site.getsitepackages()) | {site.getusersitepackages()}
    return tuple(os.path.realpath(folder) + os.sep for folder in folders if folder)


def _is(one: object, *kinds: type[_T]) -> TypeGuard[_T]:
    """isinstance, without asking the object what it says it is: that would run its code."""
    return issubclass(type(one), kinds)


def _note(one: object, found: Sources) -> None:
    if _is(one, FunctionType):
        _function(one, found)
    elif not _is(one, dict, list, tuple, set, frozenset, MethodType, functools.partial):
        tool = _is_tool(one)
        for cls in type.mro(one) if _is(one, type) else type(one).__mro__:
            if not _is_ours(cls.__module__) and cls.__module__ != "builtins":
                _class(cls, found, tool=tool)


def _function(function: FunctionType, found: Sources) -> None:
    if not _is_ours(function.__module__):
        name = f"{function.__module__}.{function.__qualname__}"
        _file(function.__code__.co_filename, name, found, tool=False)


def _class(cls: type, found: Sources, *, tool: bool) -> None:
    """Where its methods are written; where it has none, its module.

    A method that the standard library has put in, as `dataclass` does, tells nothing of where its class is from.
    """
    files = {held.__code__.co_filename for held in vars(cls).values() if _is(held, FunctionType)}
    on_disk = {file for file in files if os.path.isfile(file)}  # noqa: PTH113 -- once per class
    written = {file for file in on_disk if not is_pythons_own(file)}
    module = getattr(sys.modules.get(cls.__module__), "__file__", None)
    for path in written or {module or next(iter(files), "")}:
        _file(path, f"{cls.__module__}.{cls.__qualname__}", found, tool=tool)


def _file(path: str, name: str, found: Sources, *, tool: bool) -> None:
    if path.endswith(".pyc") or not os.path.isfile(path):  # noqa: PTH113 -- once per object
        if not path or not is_installed(path):
            found.missing.add(name)
    elif not path.endswith((".py", ".pyw")):
        return  # compiled, with nothing to read
    elif not is_installed(path):
        found.first_party.add(os.path.abspath(path))  # noqa: PTH100 -- as above
    elif tool and not is_pythons_own(path):
        found.installed.add(os.path.abspath(path))  # noqa: PTH100 -- as above


def _is_tool(one: object) -> bool:
    """An object with a name and a description of its own, as frameworks' tools have."""
    held = _attributes(one)
    return all(isinstance(held.get(key), str) for key in ("name", "description"))


def _held(one: object) -> Iterator[object]:
    if _is(one, dict):
        yield from list(dict.values(one))  # the type's own way, not a subclass's
    elif _is(one, list):
        yield from list.__iter__(one)
    elif _is(one, tuple):
        yield from tuple.__iter__(one)
    elif _is(one, set):
        yield from set.__iter__(one)
    elif _is(one, frozenset):
        yield from frozenset.__iter__(one)
    elif _is(one, FunctionType) or _is(one, MethodType) or _is(one, functools.partial):
        yield from _behind(one)
    elif not _is(one, type):
        yield from _attributes(one).values()


def _behind(function: FunctionType | MethodType | functools.partial[object]) -> Iterator[object]:
    """What a function leads to: what it wraps, what it is bound to, what it closes over."""
    if isinstance(function, MethodType):
        yield from (function.__func__, function.__self__)
    elif isinstance(function, functools.partial):
        yield function.func
    else:
        yield vars(function).get("__wrapped__")
        for cell in function.__closure__ or ():
            with contextlib.suppress(ValueError):  # not filled yet
                yield cell.cell_contents


def _attributes(one: object) -> dict[str, object]:
    """What an object holds under names: its own, and in slots. Nothing of its class's code runs."""
    held: dict[str, object] = {}
    try:
        held.update(object.__getattribute__(one, "__dict__"))
    except (AttributeError, TypeError):
        held = {}
    for cls in type(one).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            member = cls.__dict__.get(name)
            if inspect.ismemberdescriptor(member):
                try:
                    held[name] = member.__get__(one, type(one))
                except AttributeError:
                    continue
    return held


def _is_ours(module: object) -> bool:
    root = str(module).partition(".")[0]
    return root == _OURS[0] or root.startswith(_OURS[1])
