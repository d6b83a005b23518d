"""From a Python call to named arguments and back, by the tool's own signature."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Parameter = inspect.Parameter
_POSITIONAL = (_Parameter.POSITIONAL_ONLY, _Parameter.POSITIONAL_OR_KEYWORD)


class Binding:
    """How one callable takes its arguments. Immutable, made once at wrap.

    `bind` fills in defaults, so that what is judged is what the body receives. Names out of `**kwargs` stand beside
    the declared ones; `*args` stand as a tuple under their own name. A callable without a readable signature takes
    its positional arguments under `args`.
    """

    __slots__ = ("_defaults", "_parameters", "_simple", "_var_keyword", "_var_positional", "signature")

    def __init__(self, function: Callable[..., object] | inspect.Signature, *, skip_first: bool = False) -> None:
        """`function`, or its signature. `skip_first` leaves out the first parameter: `self` is not the caller's."""
        self.signature = _signature(function, skip_first=skip_first)
        parameters = list(self.signature.parameters.values())
        self._parameters = parameters
        self._defaults = tuple((p.name, p.default) for p in parameters)
        self._var_positional = next((p.name for p in parameters if p.kind is _Parameter.VAR_POSITIONAL), None)
        self._var_keyword = next((p.name for p in parameters if p.kind is _Parameter.VAR_KEYWORD), None)
        self._simple = all(p.kind is _Parameter.POSITIONAL_OR_KEYWORD for p in parameters)

    def bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        """The arguments by name, defaults filled in. Raises TypeError, as Python would, if they do not fit."""
        if self._simple and not args:
            quick = self._bind_keywords(kwargs)
            if quick is not None:
                return quick
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        named = dict(bound.arguments)
        if missing := [p.name for p in self._parameters if p.name not in named]:
            # Python 3.13 binds a call that leaves out a positional-only argument and names it among the keywords.
            raise TypeError(f"missing argument: {', '.join(missing)}")
        if self._var_keyword is not None:
            extra = named.pop(self._var_keyword)
            if clash := named.keys() & extra.keys():
                message = f"argument given twice: {', '.join(sorted(clash))}"
                raise TypeError(message)
            named.update(extra)
        return named

    def _bind_keywords(self, kwargs: Mapping[str, object]) -> dict[str, object] | None:
        named: dict[str, object] = {}
        given = 0
        for name, default in self._defaults:
            if name in kwargs:
                named[name] = kwargs[name]
                given += 1
            elif default is _Parameter.empty:
                return None
            else:
                named[name] = default
        return named if given == len(kwargs) else None

    def unbind(self, named: Mapping[str, object], positional: int = 0) -> tuple[tuple[object, ...], dict[str, object]]:
        """The positional and keyword arguments of a call whose arguments by name are `named`.

        `positional`: how many were given by position. They are handed on so: a decorator below the guard sees the call
        as it was made.
        """
        rest = dict(named)
        if self._simple:
            if not positional:
                return (), rest
            return tuple(rest.pop(parameter.name) for parameter in self._parameters[:positional]), rest
        args: list[object] = []
        for number, parameter in enumerate(self._parameters):
            if parameter.kind is _Parameter.VAR_POSITIONAL:
                args.extend(rest.pop(parameter.name))  # type: ignore[arg-type]  # bind put a tuple there
            elif (
                parameter.kind in _POSITIONAL and (self._var_positional is not None or number < positional)
            ) or parameter.kind is _Parameter.POSITIONAL_ONLY:
                args.append(rest.pop(parameter.name))
        return tuple(args), rest


def _signature(function: Callable[..., object] | inspect.Signature, *, skip_first: bool) -> inspect.Signature:
    try:
        signature = function if isinstance(function, inspect.Signature) else inspect.signature(function)
    except (TypeError, ValueError):
        return inspect.Signature(
            [_Parameter("args", _Parameter.VAR_POSITIONAL), _Parameter("kwargs", _Parameter.VAR_KEYWORD)]
        )
    if not skip_first:
        return signature
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].kind in _POSITIONAL:
        parameters = parameters[1:]
    return signature.replace(parameters=parameters)
