"""Boxes that are containers, on Docker or Podman: both speak the same API on a Unix socket."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.sandbox import bytecode
from agentcop_processor.sandbox.engine import INSIDE, EngineDown, Mount
from agentcop_processor.sandbox.engines.attached import Attached
from agentcop_processor.sandbox.engines.flags import container
from agentcop_processor.sandbox.engines.owner import LABEL, is_dead
from agentcop_processor.sandbox.engines.profile import profile_for

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
_INSIDE: Final = Mount(source=str(Path(__file__).resolve().parents[1] / "inside"), target=INSIDE)


class ContainerEngine:
    """One engine by its socket. Thread-safe."""

    def __init__(self, name: EngineName, socket: str) -> None:
        """`socket`: the path of its Unix socket. Nothing is asked yet."""
        self.name = name
        self.socket = socket
        self._client: Any = None
        self._lock = safe_lock()

    def start(self, settings: Settings, mounts: tuple[Mount, ...]) -> Link:
        """As `Engine.start`: a container of the policy's image, by that image's id."""
        for mount in mounts:
            self._check(mount)
        try:
            return self._start(settings, (_INSIDE, *mounts))
        except EngineDown:
            raise
        except Exception as error:
            self._forget()
            raise EngineDown(f"{self.name} did not start a box: {_short(error)}") from error

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
            client = self.client()
            for each in client.containers(all=True, filters={"label": LABEL}):
                if is_dead(str((each.get("Labels") or {}).get(LABEL, ""))):
                    self._remove(str(each["Id"]))
                    swept += 1
        except Exception as error:
            _log.warning(
                "agentcop: %s could not be asked for boxes that were left behind: %s", self.name, _short(error)
            )
        if swept:
            _log.warning("agentcop: removed %d boxes of %s that dead processes had left behind", swept, self.name)
        return swept

    def image_id(self, image: str) -> str:
        """The id of an image that is here. Raises EngineDown where it is not; none is ever pulled."""
        try:
            return str(self.client().inspect_image(image)["Id"])
        except Exception as error:
            if _status(error) == _GONE:
                raise EngineDown(f"{self.name} has no image {image}: `agentcop sandbox build` makes it") from None
            self._forget()
            raise EngineDown(f"{self.name} does not answer: {_short(error)}") from error

    def client(self) -> Any:  # noqa: ANN401 -- of the SDK, which has no types
        """The SDK's client of this engine. Raises EngineDown where the SDK is not installed."""
        with self._lock:
            if self._client is None:
                with IMPORTING:
                    try:
                        import docker
                    except ImportError:
                        raise EngineDown(
                            "mode: container needs the Docker SDK: pip install 'agentcop-runtime[sandbox]'"
                        ) from None
                self._client = docker.APIClient(base_url=f"unix://{self.socket}", version=_VERSION, timeout=_TIMEOUT)
            return self._client

    def _start(self, settings: Settings, mounts: tuple[Mount, ...]) -> Link:
        bytecode.ready()
        image = self.image_id(settings.image)
        if settings.image_digest and _bare(image) != _bare(settings.image_digest):
            raise EngineDown(
                f"the image {settings.image} of {self.name} is {image}, and sandbox.image_digest pins another"
            )
        client = self.client()
        made = str(
            client.create_container_from_config(container(image, settings, mounts, seccomp=profile_for(self.name)))[
                "Id"
            ]
        )
        try:
            stream = client.attach_socket(made, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            client.start(made)
            started = str(client.inspect_container(made)["Image"])
        except BaseException:
            self._remove(made)
            raise
        link = Attached(self.name, made, stream, self._remove)
        if _bare(started) != _bare(image):
            link.kill()
            raise EngineDown(f"{self.name} started another image than {settings.image}")
        return link

    def _check(self, mount: Mount) -> None:
        inner, source = Path(self.socket).resolve(), Path(mount.source)
        if source == inner or source in inner.parents or source.is_socket():
            raise EngineDown(f"{mount.source} leads to the engine's own socket, which no box may see")

    def _remove(self, container_id: str) -> None:
        """Kill and remove, and look that it is gone. Raises what the engine says to the last."""
        deadline = time.monotonic() + _TO_GO
        while True:
            try:
                self.client().remove_container(container_id, force=True, v=True)
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


def _bare(image_id: str) -> str:
    return image_id.removeprefix("sha256:")


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _short(error: Exception) -> str:
    """An engine's error in one line: its own explanation where it gives one."""
    text = getattr(error, "explanation", None) or str(error)
    line = " ".join(str(text).split())
    return f"{type(error).__name__}: {line[:300]}"
