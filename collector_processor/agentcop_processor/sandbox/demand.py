"""Which calls a policy wants in a box, and in what box."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentcop_policies.document.sections import NetworkAllow
from agentcop_policies.judging.matching import matcher
from agentcop_processor.sandbox.egress.from_policy import secrets_of
from agentcop_processor.sandbox.settings import Settings, meet, whole_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop_policies import Policy
    from agentcop_processor.sandbox.settings import Network


class _Demand(NamedTuple):
    settings: Settings
    means: tuple[Callable[[str], bool], ...]


def demanded(policies: Iterable[Policy], tool: str) -> Settings | None:
    """The box in which a call of `tool` must run; None: no policy asks for one. Raises Disagree, SecretUnset.

    Only policies that enforce are handed in; where several ask, the stricter holds in each key.
    """
    found: Settings | None = None
    for policy in policies:
        demand = _demand(policy)
        if demand is not None and any(means(tool) for means in demand.means):
            found = demand.settings if found is None else meet(found, demand.settings)
    return found


@lru_cache(maxsize=256)
def _demand(policy: Policy) -> _Demand | None:
    settings = settings_of(policy)
    sandbox = policy.document.sandbox
    if settings is None or sandbox is None:
        return None
    return _Demand(settings, tuple(matcher(tool) for tool in sandbox.tools))


def settings_of(policy: Policy) -> Settings | None:
    """A policy's `sandbox` section, paths absolute and secrets filled in; None where it asks for no box.

    Raises SecretUnset, which names the variable.
    """
    sandbox = policy.document.sandbox
    if sandbox is None or sandbox.mode == "none":
        return None
    network: Network = sandbox.network.allow if isinstance(sandbox.network, NetworkAllow) else sandbox.network
    return Settings(
        mode=sandbox.mode,
        image=sandbox.image,
        image_digest=whole_id(sandbox.image_digest or ""),
        timeout=sandbox.timeout,
        memory=sandbox.memory,
        pids=sandbox.pids,
        cpus=sandbox.cpus,
        tmpfs=sandbox.tmpfs,
        max_result=sandbox.max_result,
        max_stdout=sandbox.max_stdout,
        network=network,
        secrets=secrets_of(sandbox, os.environ),
        mounts=tuple(_absolute(mount, policy.folder) for mount in sandbox.mounts),
        env=sandbox.env,
        reuse=sandbox.reuse,
        pool=sandbox.pool,
        runtime=sandbox.runtime or "",
        fallback=sandbox.fallback == "process",
    )


def _absolute(mount: str, folder: Path) -> str:
    source, _, rest = mount.partition(":")
    return f"{os.path.normpath(folder / Path(source).expanduser())}:{rest}"
