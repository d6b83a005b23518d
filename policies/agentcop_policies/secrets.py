"""`${NAME}` and `${NAME:-default}` in a policy: unexpanded wherever the policy goes, resolved by the sender alone.

So the agent's process need not hold what only the detector sends with, and a policy's digest does not change with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import AgentCopError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,199})(?::-([^{}\n]{0,999}))?\}", re.ASCII)


class SecretUnset(AgentCopError):  # noqa: N818 -- a state of the environment, as NotArmed is of the process
    """A variable that a policy refers to is not set here; `name` is the variable."""

    def __init__(self, name: str) -> None:
        """`name`: the variable."""
        self.name = name
        super().__init__(f"${{{name}}} is not set in this environment")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the name."""
        return (type(self), (self.name,))


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """`text` with every reference filled in from `environ`, else from its default. Raises SecretUnset.

    An empty variable counts as unset, as it does in a shell's `${NAME:-default}`. What is filled in is not read again.
    """

    def fill(found: re.Match[str]) -> str:
        value = environ.get(found[1]) or found[2]
        if value is None:
            raise SecretUnset(found[1])
        return value

    return _REFERENCE.sub(fill, text)


def unset(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that `resolve` would miss, in order, each once."""
    missing = [found[1] for found in _REFERENCE.finditer(text) if found[2] is None and not environ.get(found[1])]
    return tuple(dict.fromkeys(missing))


def holds_reference(text: str) -> bool:
    """Whether anything in `text` looks like a reference, well formed or not."""
    return "${" in text


def holds_default(text: str) -> bool:
    """Whether a reference in `text` brings a value of its own, as `${NAME:-default}`."""
    return any(found[2] is not None for found in _REFERENCE.finditer(text))


def is_malformed(text: str) -> bool:
    """Whether a `${` in `text` is not the start of a reference."""
    return "${" in _REFERENCE.sub("", text)
