"""The secrets of a policy's `sandbox` section, filled in: the only place where their values come to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_policies.secrets import resolve
from agentcop_processor.sandbox.settings import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_policies.document.sections import Sandbox


def secrets_of(sandbox: Sandbox, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """For `Settings.secrets`. Raises SecretUnset, which names the variable and no value."""
    return tuple(
        Secret(place=each.host, header=each.header, value=resolve(each.value, environ)) for each in sandbox.secrets
    )
