"""What a box sees of the host: the tool's own files, the policy's mounts, and the egress proxy's socket."""

from __future__ import annotations

import contextlib
import os
import pwd
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox.containers.sockets import socket_behind
from agentcop_processor.sandbox.engine import EngineDown, Mount
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop_processor.sandbox.egress.way_out import Egress
    from agentcop_processor.sandbox.parcel import Parcel

_MACHINERY: Final = ("/proc", "/sys", "/dev")
_IDLE: Final = 900.0
"""Seconds beside the longest call after which a proxy that no box was made or taken for is stopped."""
_OWN: Final = ("/agentcop", *_MACHINERY)
"""What of a box is its own, with all below it."""
_EMPTIED: Final = ("/", "/tmp", "/var", "/var/tmp")  # noqa: S108 -- of the box
"""After each call all that lies there is removed; what is mounted deeper stays."""


class Outlets:
    """The mounts of one process's boxes, and its egress proxies: one for all boxes of equal settings. Thread-safe."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`home`: the state folder, which is never mounted but for the proxies' own folders."""
        self._home = home
        self._clock = clock
        self._proxies: dict[Settings, tuple[Egress, float]] = {}
        """With when they were last asked for: a policy that is read anew may have left some behind."""
        self._lock = safe_lock()

    def mounts(self, settings: Settings, parcel: Parcel) -> tuple[Mount, ...]:
        """Every mount of a box but its door to the proxy. Raises EngineDown."""
        own = tuple(self._of_policy(mount) for mount in settings.mounts)
        _check_exchanged(settings.mounts, own, parcel.mounts)
        return (*parcel.mounts, *own)

    def close(self) -> None:
        """Stop the proxies."""
        with self._lock:
            proxies, self._proxies = self._proxies, {}
        for egress, _ in proxies.values():
            egress.close()

    def forget(self) -> None:
        """In a forked child: the proxies' threads do not exist here."""
        self._proxies = {}

    def way_out(self, settings: Settings) -> Egress | None:
        """The proxy for such boxes, started at its first use; None for `network: none`. Raises EngineDown."""
        if settings.network == "none":
            return None
        with IMPORTING:
            try:
                from agentcop_processor.sandbox.egress.way_out import egress_for
            except ImportError as missing:
                install = "pip install 'agentcop-runtime[sandbox]', or write network: none"
                raise EngineDown(f"sandbox.network needs {missing.name}: {install}") from None
        settings, now = self._read_by_proxies(settings), self._clock()
        with self._lock:
            egress, _ = self._proxies.get(settings, (None, now))
            if egress is None or not egress.alive:
                try:
                    egress = egress_for(settings, self._home / "sandbox")
                except (OSError, ValueError, RuntimeError) as error:  # the last: there is no room for its thread
                    raise EngineDown(f"the way out of the box cannot be opened: {error}") from error
                if egress is None:
                    return None
            self._proxies[settings] = (egress, now)
            idle = [each for each, (_, since) in self._proxies.items() if now - since > each.timeout + _IDLE]
            gone = [self._proxies.pop(each)[0] for each in idle]
        for each in gone:
            each.close()
        return egress

    @staticmethod
    def _read_by_proxies(settings: Settings) -> Settings:
        """Only what a proxy reads: boxes that differ in the rest share one."""
        return Settings(network=settings.network, secrets=settings.secrets, timeout=settings.timeout)

    def _of_policy(self, mount: str) -> Mount:
        source, target, *access = mount.split(":")
        _check_target(target)
        real = os.path.realpath(source)
        try:
            Path(real).stat()
        except FileNotFoundError:
            raise EngineDown(f"sandbox.mounts: {source} does not exist") from None
        except OSError as error:
            raise EngineDown(f"sandbox.mounts: {source} cannot be looked at: {error.strerror}") from None
        if what := self._barred(real):
            raise EngineDown(f"sandbox.mounts: {source} leads to {what}, which no box may see")
        return Mount(source=real, target=target, writable=access == ["rw"])

    def _barred(self, real: str) -> str:
        """What this folder or file is or holds that no box sees, whatever a policy says; "" where it may be mounted."""
        home = os.path.realpath(self._home)
        with IMPORTING:
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


def _check_target(target: str) -> None:
    """Raises EngineDown for a place of the box's own, whichever engine makes it."""
    plain = os.path.normpath(target)
    own = any(Path(plain).is_relative_to(each) for each in _OWN)
    if own or plain in _EMPTIED or not target.startswith("/") or ".." in target.split("/"):
        raise EngineDown(f"sandbox.mounts: nothing can be mounted at {target} of a box: name another place")


def _check_exchanged(written: Iterable[str], asked: tuple[Mount, ...], shipped: tuple[Mount, ...]) -> None:
    """Raises EngineDown where a tool could put a link to anywhere in the place of what the next box is to see.

    `written`: as the policy has `asked`. The same of code that this process has loaded, and may load again.
    """
    seen = {os.path.normpath(mount.partition(":")[0]) for mount in written}
    seen |= {mount.source for mount in (*asked, *shipped)}
    for writable in (mount.source for mount in asked if mount.writable):
        for source in sorted(seen):
            if source != writable and Path(source).is_relative_to(writable):
                raise EngineDown(f"sandbox.mounts: who may write to {writable} can exchange {source}: mount less of it")
        if any(mount.source == writable for mount in shipped):
            raise EngineDown(f"sandbox.mounts: {writable} is the tool's own code, which no box may change")


def _homes() -> set[str]:
    """The user's, as the environment and as the system has it."""
    homes = [os.path.expanduser("~")]  # noqa: PTH111 -- Path.home() raises where nobody has one
    with contextlib.suppress(KeyError):
        homes.append(pwd.getpwuid(os.getuid()).pw_dir)
    return {os.path.realpath(home) for home in homes if home != "/"}
