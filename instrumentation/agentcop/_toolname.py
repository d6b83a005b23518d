"""What a policy calls a tool that nobody named."""

from __future__ import annotations

import functools


def tool_name(obj: object) -> str:
    """What a policy calls this tool: its `name`, else its `__name__`, else its class."""
    if isinstance(obj, functools.partial):
        return tool_name(obj.func)
    for attribute in ("name", "__name__"):
        name = getattr(obj, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(obj).__name__
