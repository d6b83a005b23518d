"""The classes of frameworks, as far as this process has imported them: adapters import none themselves."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str, str]
"""Module and name of a class."""


def classes(*places: Place) -> Iterator[type]:
    """The classes at these places, of the modules that this process has imported."""
    for module, name in places:
        found = getattr(sys.modules.get(module), name, None)
        if inspect.isclass(found):
            yield found


def is_any(obj: object, *places: Place) -> bool:
    """Whether the object is an instance of one of these classes."""
    return any(isinstance(obj, cls) for cls in classes(*places))


def is_imported(module: str, just_now: str = "") -> bool:
    """Whether this module has run to its end; one that is still at it is looked at when it has.

    `just_now`: the module whose import has this moment run.
    """
    found = sys.modules.get(module)
    spec = getattr(found, "__spec__", None)
    return found is not None and (module == just_now or not getattr(spec, "_initializing", False))
