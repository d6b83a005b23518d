"""Replaces methods of classes, once each, and puts them back: the only place where a foreign class is changed."""

from __future__ import annotations

import copy
import inspect
import threading
from typing import TYPE_CHECKING, Any, Literal

from agentcop._seams.held import let_go
from agentcop._seams.wrapping.dress import dress
from agentcop._seams.wrapping.later import Later, now
from agentcop._seams.wrapping.shapes import shaped
from agentcop._seams.wrapping.step import Begun, Nested, Step
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Begun", "Part", "Patch", "is_patched", "look_again", "patch", "patch_here", "remove_all", "with_subclasses"]

Part = Literal["handover", "tool", "agent", "model", "copy", "scope"]
"""What one method can be at once: an agent's `invoke` is its entry, and a tool call of the agent above it."""

_ORDER: tuple[Part, ...] = ("handover", "tool", "agent", "model", "copy", "scope")


class Patch:
    """One replaced method, and what begins around each of its calls."""

    def __init__(self, original: object, *, own: bool) -> None:
        """`original`: as it stood in the class, to be put back.

        `own`: the class had no such method itself; it was given one that calls the inherited.
        """
        self.original = original
        self.own = own
        self.parts: dict[Part, Callable[[tuple[Any, ...], dict[str, Any]], Begun | Later[Begun]]] = {}

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | Later[Begun]:
        """Begin every part, outermost first; one that raises ends those before it."""
        return self._begin(_ORDER, None, args, kwargs)

    def _begin(
        self, parts: tuple[Part, ...], around: Step | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Begun | Later[Begun]:
        for part in parts:
            if (begin := self.parts.get(part)) is None:
                continue
            try:
                begun = begin(args, kwargs)
                if isinstance(begun, Later):
                    # No part before the tool's has a step, so that none is left open by a refusal.
                    rest = parts[parts.index(part) + 1 :]
                    return begun.then(lambda granted: now(self._begin(rest, *granted)))  # noqa: B023 -- returned at once
                step, args, kwargs = begun
            except BaseException as error:
                if around is not None:
                    around.failed(error)
                raise
            if step is not None:
                around = step if around is None else Nested(around, step)
        return around, args, kwargs


_MARK = "__agentcop_patch__"
_patches: dict[tuple[type, str], Patch] = {}
_watched: dict[type, object] = {}
_lock = threading.RLock()


def patch(owner: type, attribute: str) -> Patch:
    """The patch of the most derived definition of `owner.attribute`, put in place at its first use. Raises NotArmed."""
    definer = next((cls for cls in owner.__mro__ if attribute in vars(cls)), None)
    if definer is None:
        message = f"{owner.__qualname__} has no method {attribute!r}"
        raise NotArmed(message)
    with _lock:
        if (definer, attribute) not in _patches:
            _replace(definer, attribute, vars(definer)[attribute], own=False)
        return _patches[definer, attribute]


def patch_here(owner: type, attribute: str) -> Patch:
    """The same on `owner` itself: where it inherits the method from a class that is not its framework's.

    A class without a method that copies is given one that does what `copy` does then.
    """
    with _lock:
        if (owner, attribute) not in _patches:
            if attribute in vars(owner):
                return patch(owner, attribute)

            def inherited(self: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as the inherited method
                if (above := getattr(super(owner, self), attribute, None)) is None:
                    return _copied(self, *args)
                return above(*args, **kwargs)

            inherited.__name__ = attribute
            inherited.__qualname__ = f"{owner.__qualname__}.{attribute}"
            _replace(owner, attribute, inherited, own=True)
        return _patches[owner, attribute]


def _copied(obj: object, memo: dict[int, object] | None = None) -> object:
    """What `copy` makes of an object whose class does not say how to copy it; with `memo` a deep copy."""
    reduced = obj.__reduce_ex__(4)
    if isinstance(reduced, str):  # it is a global, and copied by being the same
        return obj
    made: object = copy._reconstruct(obj, memo, *reduced)  # type: ignore[attr-defined]  # noqa: SLF001 -- no public name
    return made


def is_patched(method: object) -> bool:
    """Whether this function stands in the place of another."""
    return getattr(method, _MARK, False) is True


def with_subclasses(owner: type, key: object, install: Callable[[type], None]) -> None:
    """Call `install` for `owner` and each subclass, those too that are still to be defined; once for each `key`."""
    with _lock:
        watching = _watching.setdefault(owner, {})
        if key in watching:
            return
        install(owner)
        for subclass in _below(owner):
            install(subclass)
            _watch_override(subclass)
        watching[key] = install
        if owner not in _watched:
            _watch(owner)


_watching: dict[type, dict[object, Callable[[type], None]]] = {}
_NO_HOOK = object()


def _watch(owner: type) -> None:
    original = vars(owner).get("__init_subclass__", _NO_HOOK)
    _watched[owner] = original

    def hook(cls: type, **kwargs: Any) -> None:
        if isinstance(original, classmethod):
            original.__func__(cls, **kwargs)
        else:
            super(owner, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]  # cls is a subclass of owner
        _defined(cls)

    hook.__name__ = "__init_subclass__"
    owner.__init_subclass__ = classmethod(hook)  # type: ignore[assignment, arg-type]  # as the interpreter stores it


def look_again(cls: type) -> None:
    """Install what this class has got since it was defined: a decorator may put things in place of ours."""
    with _lock:
        _defined(cls)


def _defined(cls: type) -> None:
    """A class below a watched one is there now. May be told twice of the same."""
    for above in type.mro(cls):
        for install in tuple(_watching.get(above, {}).values()):
            install(cls)
    _watch_override(cls)


def _watch_override(cls: type) -> None:
    """A class with an `__init_subclass__` of its own may not call the one above: its subclasses would go unseen."""
    if "__init_subclass__" in vars(cls) and cls not in _watched:
        _watch(cls)


def _below(owner: type) -> list[type]:
    found: list[type] = []
    waiting: list[type] = type.__subclasses__(owner)
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found.append(cls)
            waiting.extend(type.__subclasses__(cls))
    return found


def remove_all() -> None:
    """Put every patched method and attribute back, for tests and for switching off."""
    let_go()
    with _lock:
        for (owner, attribute), each in _patches.items():
            if each.own:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, each.original)
        _patches.clear()
        for owner, original in _watched.items():
            if original is _NO_HOOK:
                del owner.__init_subclass__
            else:
                owner.__init_subclass__ = original  # type: ignore[assignment]  # what stood there
        _watched.clear()
        _watching.clear()


def _replace(definer: type, attribute: str, original: object, *, own: bool) -> None:
    function = original.__func__ if isinstance(original, classmethod) else original
    if not inspect.isfunction(function):
        message = f"{definer.__qualname__}.{attribute} is a {type(original).__name__}, not a method"
        raise NotArmed(message)
    made = Patch(original, own=own)
    patched = shaped(function, made.begin)
    dress(patched, function)
    setattr(patched, _MARK, True)
    try:
        setattr(definer, attribute, classmethod(patched) if isinstance(original, classmethod) else patched)
    except TypeError as error:
        message = f"{definer.__qualname__}.{attribute} cannot be replaced: {error}"
        raise NotArmed(message) from error
    _patches[definer, attribute] = made
