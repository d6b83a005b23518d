"""Gives a wrapper the looks of what it wraps, and no way round it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agentcop._seams.wrapping.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Callable


def dress(guarded: Callable[..., Any], original: Callable[..., Any]) -> None:
    """Copy name, module, signature, annotations and attributes of `original`, but set no `__wrapped__`.

    Dispatchers that unwrap what they call would walk round the gate. Annotations are resolved here, because their
    names belong to the original's module.
    """
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        value = getattr(original, attribute, None)
        if isinstance(value, str):
            setattr(guarded, attribute, value)
    try:
        annotations = inspect.get_annotations(original, eval_str=True)
    except Exception:
        # A name that only a type checker knows: its text is all there is.
        annotations = dict(getattr(original, "__annotations__", {}) or {})
    guarded.__annotations__ = annotations
    own = getattr(original, "__dict__", {})
    guarded.__dict__.update({key: value for key, value in own.items() if key != "__wrapped__"})
    try:
        guarded.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]  # read by inspect
    except (TypeError, ValueError):
        guarded.__signature__ = Binding(original).signature  # type: ignore[attr-defined]  # read by inspect
