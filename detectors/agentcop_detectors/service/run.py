"""The whole service: its processes, put together from what it was told."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import AgentCopError
from agentcop_core.filelock import try_lock
from agentcop_core.home import ensure_state_folder, make_private
from agentcop_detectors.receive.address import CannotListen
from agentcop_detectors.service.child import Role, Stop
from agentcop_detectors.service.health import SUPERVISOR, look
from agentcop_detectors.service.status import Publisher, clear
from agentcop_detectors.service.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from agentcop_detectors.service.settings import Settings

_log = logging.getLogger("agentcop")

_LOCK_SECONDS: Final = 30.0
_FRONT, _SCORER, _FORWARD, _OPERATIONS = "front", "scorer", "forward", "operations"
_DRAIN: Final = {_FRONT: 15.0, _SCORER: 20.0, _FORWARD: 15.0, _OPERATIONS: 5.0}
DRAIN_SECONDS: Final = sum(_DRAIN.values())
"""How long it takes to end at most: then what hangs is killed, and loses nothing that was acknowledged."""


class InUse(AgentCopError):  # noqa: N818 -- what the folder is
    """Another detector works in this state folder."""


def serve(settings: Settings, pages: Callable[[Settings], ASGIApp] | None, say: Callable[[str], None]) -> int:
    """Run until a signal says to stop; the exit code, as `Supervisor.run` has it. `say`: one line for who started it.

    Must be called in a process of one thread, that has imported neither gRPC nor a database. Raises AgentCopError,
    OSError.
    """
    refuse_strangers(settings)
    ensure_state_folder(settings.home)
    make_private(settings.folder)
    lock = _lock(settings)
    try:
        clear(settings.status)
        roles = _roles(settings, pages)
        watch = _Watch(settings, [role.name for role in roles], say)
        return Supervisor(roles, Publisher(settings.status, SUPERVISOR), on_look=watch.look).run()
    finally:
        os.close(lock)


def refuse_strangers(settings: Settings) -> None:
    """Raise CannotListen where others than this machine could send, and nobody would ask who they are."""
    for address in (settings.http, settings.grpc):
        if address is not None and not address.loopback and settings.tokens is None:
            raise CannotListen(f"{address}: without --tokens only loopback addresses are listened on")


def _lock(settings: Settings) -> int:
    """Hold the folder, as long as this process or one of its children lives."""
    path = settings.folder / "detector.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + _LOCK_SECONDS
    waiting = False
    while not try_lock(lock):
        if time.monotonic() >= until:
            os.close(lock)
            raise InUse(f"{settings.folder} is in use by another detector")
        if not waiting:
            _log.warning("agentcop: %s is in use; waiting for the other detector to end", settings.folder)
        waiting = True
        time.sleep(0.1)
    return lock


def _roles(settings: Settings, pages: Callable[[Settings], ASGIApp] | None) -> list[Role]:
    """In the order of their end: first what takes in, last what can be asked how it goes."""

    def front(stop: Stop) -> None:
        from agentcop_detectors.service.receiving import receive

        receive(settings, stop)

    def scorer(stop: Stop) -> None:
        from agentcop_detectors.service.scoring import score

        score(settings, stop)

    def forwarder(stop: Stop) -> None:
        from agentcop_detectors.service.forwarding import forward

        forward(settings, stop)

    def operations(stop: Stop) -> None:
        from agentcop_detectors.service.operations import operate

        operate(settings, working, pages, stop)

    roles = [
        Role(name=_FRONT, work=front, drain_seconds=_DRAIN[_FRONT]),
        Role(name=_SCORER, work=scorer, drain_seconds=_DRAIN[_SCORER]),
    ]
    if settings.forward is not None:
        roles.append(Role(name=_FORWARD, work=forwarder, drain_seconds=_DRAIN[_FORWARD]))
    roles.append(Role(name=_OPERATIONS, work=operations, drain_seconds=_DRAIN[_OPERATIONS]))
    working = [role.name for role in roles]
    return roles


class _Watch:
    """Says once that the service is ready, to whoever started it and to systemd, if that did."""

    def __init__(self, settings: Settings, processes: list[str], say: Callable[[str], None]) -> None:
        self._settings = settings
        self._processes = processes
        self._say = say
        self._ready = False

    def look(self) -> None:
        if self._ready:
            return
        health = look(self._settings.status, self._processes, time.time())
        if not health.ready:
            return
        self._ready = True
        words = {status.name: status.words for status in health.statuses}
        for name, what in (("grpc", "OTLP/gRPC"), ("http", "OTLP/HTTP")):
            if name in words[_FRONT]:
                self._say(f"{what} on {words[_FRONT][name]}")
        if "spool" in self._settings.sources:
            self._say(f"reads the spool {self._settings.spool}")
        if self._settings.forward is not None:
            self._say(f"forwards to {self._settings.forward}")
        if self._settings.policies is None and self._settings.alerts is None:
            self._say("no --policies and no --alerts: alerts go to no channel, only here and into the database")
        elif self._settings.alerts is None:
            self._say("no --alerts: alerts about agents without a channel in their policy go to no channel")
        self._say(f"ready: health, metrics and pages on http://{words[_OPERATIONS]['at']}")
        tell_systemd("READY=1")


def tell_systemd(state: str) -> None:
    """What `Type=notify` waits for; nothing where systemd did not start this. Never raises."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path or not hasattr(socket, "AF_UNIX"):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(state.encode(), "\0" + path[1:] if path.startswith("@") else path)
    except OSError as error:
        _log.warning("agentcop: systemd cannot be told %s: %s", state, error)


def log_to_stderr() -> None:
    """Log lines of every process of the service, with their time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    _log.setLevel(logging.INFO)
