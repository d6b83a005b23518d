"""What a box sees of the host: the tool's own files, the policy's mounts, and the egress proxy's socket."""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox.containers.sockets import socket_behind
from agentcop_processor.sandbox.engine import EngineDown, Mount
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from agentcop_processor.sandbox.egress.way_out import Egress
    from agentcop_processor.sandbox.parcel import Parcel

_MACHINERY: Final = ("/proc", "/sys", "/dev")


class Outlets:
    """The mounts of one process's boxes, and its egress proxies: one for all boxes of equal settings. Thread-safe."""

    def __init__(self, home: Path) -> None:
        """`home`: the state folder, which is never mounted but for the proxies' own folders."""
        self._home = home
        self._proxies: dict[Settings, Egress] = {}
        self._lock = safe_lock()

    def mounts(self, settings: Settings, parcel: Parcel) -> tuple[Mount, ...]:
        """Every mount of a box. Starts the proxy at its first use. Raises EngineDown."""
        own = tuple(self._of_policy(mount) for mount in settings.mounts)
        return (*parcel.mounts, *own, *self._egress(settings))

    def close(self) -> None:
        """Stop the proxies."""
        with self._lock:
            proxies, self._proxies = self._proxies, {}
        for egress in proxies.values():
            egress.close()

    def forget(self) -> None:
        """In a forked child: the proxies' threads do not exist here."""
        self._proxies = {}

    def _egress(self, settings: Settings) -> tuple[Mount, ...]:
        if settings.network == "none":
            return ()
        with IMPORTING:
            try:
                from agentcop_processor.sandbox.egress.way_out import egress_for
            except ImportError as missing:
                install = "pip install 'agentcop-runtime[sandbox]', or write network: none"
                raise EngineDown(f"sandbox.network needs {missing.name}: {install}") from None
        settings = self._way_out(settings)
        with self._lock:
            egress = self._proxies.get(settings)
            if egress is None:
                try:
                    egress = egress_for(settings, self._home / "sandbox")
                except (OSError, ValueError) as error:
                    raise EngineDown(f"the way out of the box cannot be opened: {error}") from error
                if egress is None:
                    return ()
                self._proxies[settings] = egress
            return (egress.mount,)

    @staticmethod
    def _way_out(settings: Settings) -> Settings:
        """Only what a proxy reads: boxes that differ in the rest share one."""
        return Settings(network=settings.network, secrets=settings.secrets, timeout=settings.timeout)

    def _of_policy(self, mount: str) -> Mount:
        source, target, *access = mount.split(":")
        real = os.path.realpath(source)
        if not Path(real).exists():
            raise EngineDown(f"sandbox.mounts: {source} does not exist")
        if what := self._barred(real):
            raise EngineDown(f"sandbox.mounts: {source} leads to {what}, which no box may see")
        return Mount(source=real, target=target, writable=access == ["rw"])

    def _barred(self, real: str) -> str:
        """What this folder or file is or holds that no box sees, whatever a policy says; "" where it may be mounted."""
        home = os.path.realpath(self._home)
        from agentcop_processor.protected.current import around

        places = around().places
        own = places.at(real) is not None or places.identified(Path(real).stat()) is not None or real in places.above
        if own or os.path.commonpath([real, home]) in {real, home}:
            return "AgentCop's state folder or a policy file"
        if any(os.path.commonpath([real, each]) == real for each in _homes()):
            return "a home folder"
        if real in {"/", "/run"} or any(Path(real).is_relative_to(each) for each in _MACHINERY):
            return "the host's own processes, devices or sockets"
        return "a socket" if Path(real).is_socket() or socket_behind(real, os.environ) else ""


def _homes() -> set[str]:
    """The user's, as the environment and as the system has it."""
    homes = [os.path.expanduser("~")]  # noqa: PTH111 -- Path.home() raises where nobody has one
    with contextlib.suppress(KeyError):
        homes.append(pwd.getpwuid(os.getuid()).pw_dir)
    return {os.path.realpath(home) for home in homes if home != "/"}
