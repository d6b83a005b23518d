"""Callables that objects hold in an attribute, guarded where they are read: what is stored stays as it was put there.

Some frameworks keep a tool's body on the tool: a function, or an object with a few methods. No method of a class is
called, so there is none to patch; the attribute becomes a descriptor of the class that hands out a guarded form. It
passes for what it guards: same class, attributes, signature and equality, and copies and pickles are of that alone.
"""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from agentcop._seams.registry import register, registered
from agentcop._seams.wrapping.shapes import awaited, called_back
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop._seams.wrapping.step import Begin

    Opening = Callable[[str], Begin]
    """From what tells one held callable from another to what begins each of its calls, the holder first."""

_MISSING: Any = object()
_attributes: dict[tuple[type, str], HeldAttribute] = {}
_lock = threading.RLock()


def hold(owner: type, attribute: str, opening: Opening, *, method: str = "", is_awaited: bool = False) -> None:
    """Guard what the objects of `owner` hold in `attribute`, or that thing's `method`. Idempotent. Raises NotArmed.

    `is_awaited`: the framework awaits whatever the call gives; else it awaits only what can be awaited.
    """
    with _lock:
        held = vars(owner).get(attribute)
        if not isinstance(held, HeldAttribute):
            held = HeldAttribute(owner, attribute, vars(owner).get(attribute, _MISSING))
            try:
                setattr(owner, attribute, held)
            except TypeError as error:
                message = f"{owner.__qualname__}.{attribute} cannot be guarded: {error}"
                raise NotArmed(message) from error
            _attributes[owner, attribute] = held
        held.opens(method, opening, is_awaited=is_awaited)


def is_held(owner: type, attribute: str) -> bool:
    """Whether what objects of this class hold in `attribute` is guarded: no subclass has put something before it."""
    return isinstance(inspect.getattr_static(owner, attribute, None), HeldAttribute)


def holder_of(guarded: object) -> object | None:
    """The object whose guarded callable this is; None for anything else."""
    return object.__getattribute__(guarded, "_holder") if type(guarded) in {Guarded, GuardedParts} else None


def bare(value: object) -> object:
    """What a guarded form guards; anything else as it is."""
    return object.__getattribute__(value, "_held") if type(value) in {Guarded, GuardedParts} else value


def let_go() -> None:
    """Put every class back as it was."""
    with _lock:
        for (owner, attribute), held in _attributes.items():
            if vars(owner).get(attribute) is not held:
                continue
            if held.original is _MISSING:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, held.original)
        _attributes.clear()


class HeldAttribute:
    """A data descriptor in the place of an attribute that each object has of its own."""

    def __init__(self, owner: type, attribute: str, original: object) -> None:
        """`original`: what the class had there: a default, a method, a slot; or nothing."""
        self.original: Any = original
        self._openings: dict[str, tuple[Opening, bool]] = {}
        self._owner = owner
        self._attribute = attribute
        self._guards: WeakValueDictionary[tuple[int, int], Guarded | GuardedParts] = WeakValueDictionary()

    def opens(self, method: str, opening: Opening, *, is_awaited: bool) -> None:
        """Guard this method of what is held, or with "" the held thing itself."""
        self._openings[method] = (opening, is_awaited)
        self._guards.clear()

    def __get__(self, obj: object, owner: type | None = None) -> object:
        if obj is None:
            return self._from_class(None, owner)
        held = self._bare_of(obj)
        if held is None:
            return None
        # As long as a guard lives, holder and held live too, and their ids are theirs.
        guard = self._guards.get((id(obj), id(held)))
        if guard is None:
            guard = self._guards.setdefault((id(obj), id(held)), self._guard(obj, held))
        return guard

    def __set__(self, obj: object, value: object) -> None:
        copied_from = holder_of(value)
        if copied_from is not None and copied_from is not obj:
            _inherit(copied_from, obj)
        if hasattr(self.original, "__set__"):  # a slot
            self.original.__set__(obj, bare(value))
        else:
            vars(obj)[self._attribute] = bare(value)

    def __delete__(self, obj: object) -> None:
        if hasattr(self.original, "__delete__"):
            self.original.__delete__(obj)
            return
        try:
            del vars(obj)[self._attribute]
        except KeyError:
            raise AttributeError(self._attribute) from None

    def _bare_of(self, obj: object) -> object:
        own = getattr(obj, "__dict__", {})
        return own[self._attribute] if self._attribute in own else self._from_class(obj, type(obj))

    def _from_class(self, obj: object, owner: type | None) -> object:
        if self.original is not _MISSING:
            get = getattr(type(self.original), "__get__", None)
            return self.original if get is None else get(self.original, obj, owner)
        for base in self._owner.__mro__[1:]:  # as the lookup would go on, were there no descriptor here
            if self._attribute in vars(base):
                inherited = vars(base)[self._attribute]
                get = getattr(type(inherited), "__get__", None)
                return inherited if get is None else get(inherited, obj, owner)
        raise AttributeError(self._attribute)

    def _guard(self, obj: object, held: object) -> Guarded | GuardedParts:
        guarded = {method: _guarded_call(obj, held, method, *how) for method, how in self._openings.items()}
        whole = guarded.pop("", None)
        return GuardedParts(obj, held, guarded) if whole is None else Guarded(obj, held, whole)


def _guarded_call(
    holder: object,
    held: Any,  # noqa: ANN401 -- a callable, or what has the method
    method: str,
    opening: Opening,
    is_awaited: bool,  # noqa: FBT001 -- as it is stored
) -> Callable[..., Any]:
    def original(given: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as what is held
        if given is not holder:  # the call runs another body than the one that is held: see `ToolTarget.stand_in`
            return given(*args, **kwargs)
        return (getattr(held, method) if method else held)(*args, **kwargs)

    begin = opening(f"{id(held):x}")
    call = awaited(original, begin) if is_awaited else called_back(original, begin)
    return lambda *args, **kwargs: call(holder, *args, **kwargs)


def _inherit(original: object, copied: object) -> None:
    """A tool that is built from another one's body, as `dataclasses.replace` does, is governed like that one."""
    found = registered(original, "tool")
    if found is not None:
        for gate in found.gates:
            register(copied, "tool", found.name, gate)


def _itself(value: object) -> object:
    return value


_EVERYWHERE = frozenset({"__annotations__", "__dict__", "__doc__", "__module__"})


class _Passing:
    """Passes for what it guards, but for `__wrapped__`: dispatchers that unwrap would walk round the gate."""

    __slots__ = ("__weakref__", "_call", "_held", "_holder")
    _held: Any

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 -- as what it guards
        """Also what every class has of its own."""
        return (
            getattr(object.__getattribute__(self, "_held"), name)
            if name in _EVERYWHERE
            else object.__getattribute__(self, name)
        )

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- as what it guards
        held = object.__getattribute__(self, "_held")
        if name == "__wrapped__":
            raise AttributeError(name)
        if name == "__signature__":
            try:
                return inspect.signature(held)
            except (TypeError, ValueError):
                raise AttributeError(name) from None
        return getattr(held, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._held, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._held, name)

    @property  # type: ignore[misc]  # isinstance asks it, after the type
    def __class__(self) -> type:
        return type(self._held)

    def __eq__(self, other: object) -> bool:
        return bool(self._held == bare(other))

    def __hash__(self) -> int:
        return hash(self._held)

    def __repr__(self) -> str:
        return repr(self._held)

    def __dir__(self) -> list[str]:
        return dir(self._held)

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        return _itself, (self._held,)


class Guarded(_Passing):
    """A held callable; calling it is a call of the tool that holds it."""

    __slots__ = ()

    def __init__(self, holder: object, held: object, call: Callable[..., Any]) -> None:
        """`call`: with the caller's own arguments."""
        for name, value in (("_holder", holder), ("_held", held), ("_call", call)):
            object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as what it guards
        """As what it guards, on a verdict."""
        return object.__getattribute__(self, "_call")(*args, **kwargs)


class GuardedParts(_Passing):
    """A held object; calling one of some methods is a call of the tool that holds it."""

    __slots__ = ()

    def __init__(self, holder: object, held: object, methods: dict[str, Callable[..., Any]]) -> None:
        """`methods`: by name, with the caller's own arguments."""
        for name, value in (("_holder", holder), ("_held", held), ("_call", methods)):
            object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 -- as what it guards
        methods = object.__getattribute__(self, "_call")
        return methods[name] if name in methods else super().__getattribute__(name)
