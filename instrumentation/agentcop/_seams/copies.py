"""What stands around methods of a framework that are no calls of tools: copies, and the ends of task groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcop._seams.registry import register, registered
from agentcop_core.errors import ToolBlocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop._seams.registry import Role


class Copied:
    """Registers the copy that a method returned."""

    def __init__(self, original: object, copy: Callable[[Any], object] | None) -> None:
        self._original = original
        self._copy = copy

    def started(self) -> None:
        """Nothing to begin."""

    def resume(self) -> None:
        """Nothing to make current."""

    def suspend(self) -> None:
        """Nothing to give back."""

    def returned(self, result: object) -> None:
        """The copy is governed like the original, unless the method returned that itself."""
        roles: tuple[Role, ...] = ("agent", "tool")
        if self._copy is not None:
            result = self._copy(result)
        for role in roles:
            found = registered(self._original, role)
            if found is not None and result is not self._original:
                for gate in found.gates:
                    register(result, role, found.name, gate)

    def failed(self, error: BaseException) -> None:
        """No copy, nothing to govern."""


class LoneRefusal:
    """Takes a refusal out of the groups that task groups put it in, where nothing else went wrong."""

    def started(self) -> None:
        """Nothing to begin."""

    def resume(self) -> None:
        """Nothing to make current."""

    def suspend(self) -> None:
        """Nothing to give back."""

    def returned(self, result: object) -> None:
        """Nothing was raised."""

    def failed(self, error: BaseException) -> None:
        """Raises the refusal that is all there is in a group of errors."""
        lone = error
        while isinstance(lone, BaseExceptionGroup) and len(lone.exceptions) == 1:
            lone = lone.exceptions[0]
        if lone is not error and isinstance(lone, ToolBlocked):
            raise lone


LONE_REFUSAL = LoneRefusal()
"""It keeps nothing: one for all."""
