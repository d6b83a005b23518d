"""Which package a class is of, by what that package's modules hold: a class may say that it is of any."""

from __future__ import annotations

import sys
from types import ModuleType


def package_of(cls: type) -> str:
    """The top-level package in whose modules this very class stands under its name; "" where it stands in none."""
    module, name = cls.__module__, cls.__qualname__
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
    return module.partition(".")[0] if found is cls else ""
