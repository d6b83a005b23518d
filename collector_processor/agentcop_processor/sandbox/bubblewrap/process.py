"""Boxes without a container engine: bubblewrap, seccomp, landlock and resource limits, and no daemon."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import select
import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_processor.sandbox import inside
from agentcop_processor.sandbox.bubblewrap import blame, bwrap
from agentcop_processor.sandbox.bubblewrap.pipes import PipeLink
from agentcop_processor.sandbox.bubblewrap.staging import staged
from agentcop_processor.sandbox.bubblewrap.starter import Starter
from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.engines import bytecode, seccomp_bpf
from agentcop_processor.sandbox.engines.owner import is_dead, owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentcop_processor.sandbox.engine import EngineName, Mount
    from agentcop_processor.sandbox.settings import Settings

_log = logging.getLogger(__name__)
_START = 10.0  # seconds that a start may take
_MAX_INFO = 4096  # bytes that bubblewrap says of a box it made
_MAX_WORDS = 64  # of a command line in which the owner is looked for
_OWNER = "agentcop-owner:"  # begins the word in bwrap's arguments that says who started it


class ProcessEngine:
    """Starts boxes by bubblewrap. Thread-safe."""

    name: EngineName = "process"

    def __init__(self) -> None:
        self._starter = Starter()
        self._lock = threading.Lock()
        self._program: bwrap.Program | None = None

    def start(self, settings: Settings, mounts: tuple[Mount, ...]) -> PipeLink:
        """Start a box that sees `mounts`, this Python, and `/usr`. Blocks for up to ten seconds. Raises EngineDown."""
        with self._lock:
            if self._program is None:
                self._program = bwrap.find()
            program = self._program
        bytecode.ready()
        python = bwrap.interpreter()
        bound = bwrap.mounts(python, str(_inside()), mounts)
        try:
            return self._starter.run(lambda: _start(program, python, bound, settings.tmpfs), _START)
        except PermissionError as error:
            raise EngineDown(
                f"bubblewrap could not be started: {error}. A root without CAP_SYS_ADMIN, as in a container, makes"
                " no boxes: run the agent as an ordinary user, or use mode: container"
            ) from error
        except OSError as error:
            raise EngineDown(f"bubblewrap could not be started: {error}") from error

    def expected(self, settings: Settings) -> Mapping[str, object]:
        """What a box must say of itself, beside `probe.ALWAYS`; memory and pids are limits of the child's own."""
        return {"gid": bwrap.NOBODY, "relay": settings.network != "none"}

    def sweep(self) -> int:
        """Kill the bubblewraps whose owner died while they were being started; how many. Never raises."""
        swept = 0
        for pid, whose in _owned():
            if is_dead(whose, running=True, age=0.0):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                    swept += 1
        if swept:
            _log.warning("agentcop: %d boxes of processes that are gone have been killed", swept)
        return swept


def _start(program: bwrap.Program, python: bwrap.Interpreter, bound: tuple[Mount, ...], tmpfs: int) -> PipeLink:
    """Runs in the starter's thread."""
    with ExitStack() as files:
        path = program.path
        if os.geteuid() == 0:
            private = [] if Path(path).is_relative_to("/usr") else [program.needs]  # profiles go by the path in /usr
            places = files.enter_context(staged(dict.fromkeys((*private, *(mount.source for mount in bound)))))
            bound = tuple(replace(mount, source=places[mount.source]) for mount in bound)
            path = path.replace(program.needs, places.get(program.needs, program.needs), 1)
        info, info_end = os.pipe()
        files.callback(os.close, info)
        with os.fdopen(info_end, "wb", buffering=0):  # closed here once bubblewrap has it: its end is then the end
            inherited = bwrap.Files(
                own={name: _pipe_of(text.encode(), files) for name, text in bwrap.own_files().items()},
                seccomp=_pipe_of(seccomp_bpf.bpf(platform.machine()), files),
                info=info_end,
            )
            words = bwrap.arguments(python, bound, inherited, tmpfs=tmpfs, owner=_OWNER + owner())
            process = _popen([path, *words], inherited)
        link = PipeLink(process)
        try:
            link.first = _first(info, time.monotonic() + _START)
        except OSError:
            link.kill()
            raise
        if link.first is None:
            link.kill()
            raise EngineDown(blame.explained(link.stderr()))
        return link


def _popen(command: list[str], files: bwrap.Files) -> subprocess.Popen[bytes]:
    """With an empty environment, since bubblewrap's own can be read in the box; and never as root."""
    root = os.geteuid() == 0
    return subprocess.Popen(  # noqa: S603 -- our own words, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
        bufsize=0,
        pass_fds=files.all(),
        start_new_session=True,  # a Ctrl-C is for the host
        user=bwrap.NOBODY if root else None,
        group=bwrap.NOBODY if root else None,
        extra_groups=[] if root else None,
    )


def _first(info: int, deadline: float) -> int | None:
    """A pidfd of the box's pid 1, as bubblewrap tells of it; None where it ends, or is late, before there is one."""
    said = b""
    poll = select.poll()
    poll.register(info, select.POLLIN)
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        piece = os.read(info, _MAX_INFO)
        said += piece
        if not piece or len(said) >= _MAX_INFO:
            break
    try:
        return os.pidfd_open(json.loads(said)["child-pid"])
    except (ValueError, KeyError, TypeError, ProcessLookupError):
        return None


def _pipe_of(data: bytes, files: ExitStack) -> int:
    """The end to read of a pipe that holds `data`, which must be less than a pipe can; open until `files` closes."""
    read, write = os.pipe()
    files.callback(os.close, read)
    with os.fdopen(write, "wb", buffering=0) as pipe:
        os.set_blocking(write, False)
        if pipe.write(data) != len(data):
            raise OSError("a pipe is too small for what a box needs")
    return read


def _inside() -> Path:
    return Path(inside.__file__).resolve().parent


def _owned() -> Iterator[tuple[int, str]]:
    """Every bubblewrap that was started by an engine like this, with whose it is."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.joinpath("comm").read_bytes() != b"bwrap\n":
                continue
            for word in process.joinpath("cmdline").read_bytes().split(b"\0")[:_MAX_WORDS]:
                if word.startswith(_OWNER.encode()):
                    yield int(process.name), word.decode("ascii", "replace").removeprefix(_OWNER)
