"""The task groups that sessions, clients and transports live in: anyio's, of which each framework has its own."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from agentcop.adapters._interface import ScopeTarget
from agentcop.adapters._places import classes

if TYPE_CHECKING:
    from collections.abc import Iterator

_BACKENDS = (("anyio._backends._asyncio", "asyncio"), ("anyio._backends._trio", "trio"))
"""Where anyio has its task groups, and the framework that each is for."""


def scopes() -> Iterator[ScopeTarget]:
    """The task groups of each framework that runs here."""
    for backend, framework in _BACKENDS:
        # anyio imports its backend when it first runs something, which is after this.
        if framework in sys.modules:
            with suppress(ImportError):  # then refusals come in groups, as all errors do there
                import_module(backend)
        for owner in classes((backend, "TaskGroup")):
            if "__aexit__" in vars(owner):
                yield ScopeTarget(owner=owner, attribute="__aexit__")
