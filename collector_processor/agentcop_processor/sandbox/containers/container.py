"""Boxes that are containers, on Docker or Podman: both speak the same API on a Unix socket."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox.containers.attached import Attached
from agentcop_processor.sandbox.containers.flags import container
from agentcop_processor.sandbox.containers.profile import profile_for
from agentcop_processor.sandbox.containers.sockets import socket_behind
from agentcop_processor.sandbox.engine import INSIDE, EngineDown, Mount
from agentcop_processor.sandbox.engines import bytecode
from agentcop_processor.sandbox.engines.owner import LABEL, is_dead
from agentcop_processor.sandbox.settings import whole_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.engine import EngineName, Link
    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger("agentcop")
_VERSION: Final = "1.41"
"""Of the API: Docker from 20.10 and Podman from 3 on speak it."""
_TIMEOUT: Final = 10
_TO_GO: Final = 5.0
_GONE: Final = 404
_SHOWN: Final = 300
_SPECIAL: Final = ",\"'\\\r\n"
"""Podman puts a mount together as a line of comma-separated values, and reads it again."""
_INSIDE: Final = Mount(source=str(Path(__file__).resolve().parents[1] / "inside"), target=INSIDE)


class ContainerEngine:
    """One engine by its socket. Thread-safe, also in a process that was forked from one that used it."""

    def __init__(self, name: EngineName, path: str) -> None:
        """`path`: of its Unix socket. Nothing is asked yet."""
        self.name = name
        self.socket = path
        self._client: Any = None
        self._pid = 0
        self._lock = safe_lock()

    def start(self, settings: Settings, mounts: tuple[Mount, ...]) -> Link:
        """As `Engine.start`: a container of the policy's image, by that image's id."""
        for mount in mounts:
            self._check(mount)
        if settings.runtime and self.name == "podman":
            # It would take another without a word.
            raise EngineDown("podman did not start a box: its API takes no sandbox.runtime, containers.conf names one")
        image = self.image_id(settings.image, settings.image_digest)
        try:
            return self._start(image, settings, (_INSIDE, *mounts))
        except EngineDown:
            raise
        except Exception as error:
            self._forget()
            raise EngineDown(f"{self.name} did not start a box: {why(error)}") from error

    def expected(self, settings: Settings) -> Mapping[str, object]:
        """What a box of this engine must say of itself, beside `probe.ALWAYS`."""
        return {
            "gid": 65_534,
            "memory": settings.memory,
            "pids": settings.pids,
            "relay": settings.network != "none",
        }

    def sweep(self) -> int:
        """Remove the boxes of processes that are dead. Never raises."""
        swept = 0
        try:
            for each in self.client().containers(all=True, filters={"label": LABEL}):
                label = str((each.get("Labels") or {}).get(LABEL, ""))
                running, age = str(each.get("State")) == "running", time.time() - _seconds(each.get("Created"))
                if is_dead(label, running=running, age=age):
                    self._remove(str(each["Id"]))
                    swept += 1
        except Exception as error:
            _log.warning("agentcop: %s could not be asked for boxes that were left behind: %s", self.name, why(error))
        if swept:
            _log.warning("agentcop: removed %d boxes of %s that dead processes had left behind", swept, self.name)
        return swept

    def image_id(self, image: str, digest: str = "") -> str:
        """The id of an image that is here, and that `digest` pins where it is given; none is ever pulled.

        Raises EngineDown.
        """
        try:
            found = self.client().inspect_image(image)
        except EngineDown:
            raise
        except Exception as error:
            if _status(error) == _GONE:
                build = f"`agentcop sandbox build --tag {image}` makes it"
                raise EngineDown(f"{self.name} has no image {image}: {build}") from None
            self._forget()
            raise EngineDown(f"{self.name} does not answer: {why(error)}") from error
        known = whole_id(str(found["Id"]))
        if digest:
            self._compare(known, digest, f"has another image as {image}, {known}, than sandbox.image_digest pins")
        if (found.get("Config") or {}).get("Volumes"):
            raise EngineDown(f"the image {image} declares volumes, which a tool could fill: make one without")
        return known

    def client(self) -> Any:  # noqa: ANN401 -- of the SDK, which has no types
        """The SDK's client of this engine, of this process's own.

        Raises EngineDown where the SDK is not installed, OSError where nobody listens: the SDK would leave a file open.
        """
        with socket.socket(socket.AF_UNIX) as tried:
            tried.settimeout(_TIMEOUT)
            tried.connect(self.socket)
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                with IMPORTING:
                    try:
                        import docker
                    except ImportError:
                        raise EngineDown(
                            "mode: container needs the Docker SDK: pip install 'agentcop-runtime[sandbox]'"
                        ) from None
                # A forked child that went on with its parent's would write into the middle of the parent's requests.
                made = docker.APIClient(base_url=f"unix://{self.socket}", version=_VERSION, timeout=_TIMEOUT)
                # Else the SDK keeps a connection open for each container that it was asked about.
                made.headers["Connection"] = "close"
                self._client = made
                self._pid = os.getpid()
            return self._client

    def _start(self, image: str, settings: Settings, mounts: tuple[Mount, ...]) -> Link:
        bytecode.ready()
        client = self.client()
        config = container(image, settings, mounts, seccomp=profile_for(self.name))
        link: Attached | None = None
        # The name is known before the engine knows it: what is interrupted while the engine works can be removed too.
        made = f"agentcop-{secrets.token_hex(16)}"
        try:
            made = str(client.create_container_from_config(config, made)["Id"])
            self._compare(
                str(client.inspect_container(made)["Image"]), image, f"made a box of another image than {image}"
            )
            stream = client.attach_socket(made, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            link = Attached(self.name, made, stream, self._remove)
            client.start(made)
        except BaseException:
            if link is not None:
                link.kill()
            else:
                self._discard(made)
            raise
        return link

    def _compare(self, found: str, wanted: str, otherwise: str) -> None:
        if whole_id(found) != whole_id(wanted):
            raise EngineDown(f"{self.name} {otherwise}", wrong=True)

    def _check(self, mount: Mount) -> None:
        if Path(mount.source).is_socket() or socket_behind(mount.source, os.environ, self.socket):
            raise EngineDown(f"{mount.source} leads to the engine's own socket, which no box may see")
        if self.name == "podman" and set(mount.source + mount.target) & set(_SPECIAL):
            raise EngineDown(f"{mount.source}: Podman takes no path with a comma, a quote or a line break in it")

    def _discard(self, which: str) -> None:
        try:
            self._remove(which)
        except Exception as error:
            _log.warning("agentcop: %s does not say whether there is a box %s: %s", self.name, which, why(error))

    def _remove(self, which: str) -> None:
        """Kill and remove, by id or name, and look that it is gone. Raises what the engine says to the last."""
        deadline = time.monotonic() + _TO_GO
        while True:
            try:
                self.client().remove_container(which, force=True, v=True)
            except Exception as error:
                if _status(error) == _GONE:
                    return
                if time.monotonic() > deadline:
                    raise
                if not _status(error):  # the engine itself is away, and may come back
                    self._forget()
                time.sleep(0.02)  # it is going already, and an engine says so in many ways

    def _forget(self) -> None:
        """The engine may have been started anew: the next request opens a connection of its own."""
        with self._lock:
            self._client = None


def why(error: Exception) -> str:
    """An engine's error in one line: its own explanation where it gives one."""
    text = " ".join(str(getattr(error, "explanation", None) or error).split())
    if _status(error):
        return text[:_SHOWN]
    if "Permission denied" in text:
        return "permission denied: this user may not speak to it"
    if "refused" in text or "No such file" in text:
        return "nobody listens"
    if "timed out" in text:
        return f"no answer in {_TIMEOUT} seconds"
    return f"{type(error).__name__}: {text[:_SHOWN]}"


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _seconds(created: object) -> float:
    """Since 1970; of what an engine does not tell, now."""
    return float(created) if isinstance(created, int | float) else time.time()
