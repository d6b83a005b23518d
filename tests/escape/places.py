"""Where probes are run: the boxes of one engine, or no box at all, to see that a probe can succeed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Protocol

from tests.escape.outcomes import Outcome
from tests.escape.scene import PROBES, PROJECT, SHARED

from agentcop_core.errors import (
    AgentCopError,
    ResultTooLarge,
    ResultUnsendable,
    SandboxCrashed,
    SandboxError,
    SandboxTimeout,
)
from agentcop_processor.sandbox.boxes.answer import Unloadable
from agentcop_processor.sandbox.boxes.conversation import Box
from agentcop_processor.sandbox.boxes.lease import Lease, Once, Refused
from agentcop_processor.sandbox.boxes.outlets import Outlets
from agentcop_processor.sandbox.boxes.pool import Kind, Waiting
from agentcop_processor.sandbox.boxes.runner import opened, prepare
from agentcop_processor.sandbox.engine import Mount
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.escape.expected import Special
    from tests.escape.outcomes import Ended

    from agentcop_processor.sandbox.boxes.conversation import Reply
    from agentcop_processor.sandbox.engine import Engine

Call = tuple[str, str, "Mapping[str, object]"]
"""Theme, probe, and what it is given."""

_ENDS: tuple[tuple[type[Exception], Ended], ...] = (
    (SandboxTimeout, "timeout"),
    (SandboxCrashed, "crashed"),
    (ResultTooLarge, "too_large"),
    (ResultUnsendable, "unsendable"),
    (Unloadable, "unloadable"),
    (SandboxError, "raised"),
    (AgentCopError, "out"),
    (Refused, "out"),
    (Exception, "raised"),
)


class Place(Protocol):
    """Runs probes."""

    name: str

    def run(self, call: Call, special: Special, folder: Path) -> list[Outcome]:
        """The probe's calls, one after another; `folder` is the scene's. Blocks. Raises what is no outcome."""


class _Heard(Box):
    """A box whose last reply can be looked at."""

    def __init__(self, box: Box, settings: Settings) -> None:
        super().__init__(box.link, settings)
        self.reply: Reply | None = None

    def call(self, arguments: bytes, timeout: float) -> Reply:
        self.reply = super().call(arguments, timeout)
        return self.reply


class Boxed:
    """Each probe in a new box of one engine, by the ways that a call of an agent takes."""

    def __init__(self, engine: Engine, image: str = "") -> None:
        """`image`: for containers; "" for the default."""
        self.name: str = engine.name
        self._engine = engine
        self._image = image

    def run(self, call: Call, special: Special, folder: Path) -> list[Outcome]:
        """As `Place.run`."""
        settings = Settings(
            mode="process" if self.name == "process" else "container",
            image=self._image or Settings().image,
            timeout=special.timeout,
            network="public" if special.network == "public" else "none",
            reuse="per_agent",
        )
        parcel = Parcel(
            module="probes.entry",
            name="run",
            path=(PROBES,),
            mounts=(
                Mount(source=str(folder / "code"), target=PROBES),
                Mount(source=str(folder / "project"), target=PROJECT),
                Mount(source=str(folder / "shared"), target=SHARED, writable=True),
            ),
        )
        outlets = Outlets(folder / "home")
        try:
            mounts = outlets.mounts(settings, parcel)
            kind = Kind(settings=settings, mounts=mounts, way_out=outlets.way_out(settings), agent="escape")
            box = _Heard(opened(self._engine, kind), settings)
            try:
                return self._calls(box, kind, parcel, call, special.calls)
            finally:
                box.close()
        finally:
            outlets.close()

    def _calls(self, box: _Heard, kind: Kind, parcel: Parcel, call: Call, count: int) -> list[Outcome]:
        outcomes = []
        for _ in range(count):
            prepare(box, kind.settings, parcel)
            lease = Lease(Waiting(kind=kind, box=box, parcel=parcel, since=0.0), _given_back, Once(_nothing))
            outcomes.append(_called(lease, box, call))
        return outcomes


def _given_back(waiting: Waiting, again: bool) -> None:
    if not again:
        waiting.box.close()


def _nothing() -> None:
    """No room is counted here."""


def _called(lease: Lease, box: _Heard, call: Call) -> Outcome:
    began = time.monotonic()
    value: object = None
    said = ""
    ended: Ended = "ok"
    try:
        value = lease.run("probe", call, {}).value
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit) and box.reply is None:
            raise  # nobody's answer, but somebody at the keyboard
        ended = next((name for kind, name in _ENDS if isinstance(error, kind)), "out")
        said = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    kept = len(box.reply.stdout) + len(box.reply.stderr) if box.reply is not None else 0
    return _outcome(value, ended, said, seconds, kept)


def _outcome(value: object, ended: Ended, said: str, seconds: float, kept: int = 0) -> Outcome:
    if ended == "ok" and not (isinstance(value, dict) and value.keys() == {"achieved", "refused", "seen"}):
        return Outcome(ended="raised", said=f"answered with a {type(value).__name__}", seconds=seconds, kept=kept)
    notes = value if isinstance(value, dict) else {}
    achieved, refused, seen = (tuple(map(str, notes.get(name, ()))) for name in ("achieved", "refused", "seen"))
    return Outcome(ended=ended, achieved=achieved, refused=refused, seen=seen, said=said, seconds=seconds, kept=kept)


_BARE = """\
import json, os, sys
sys.path.insert(0, sys.argv[1])
theme, probe, given = json.loads(sys.argv[2])
from probes.entry import run
answer = run(theme, probe, given)
os.write(int(sys.argv[3]), json.dumps(answer).encode())
"""
_MOST = 1 << 24


class Bare:
    """Without a box: a process of this user, with mounts and host name of its own where it may have them."""

    name = "none"

    def run(self, call: Call, special: Special, folder: Path) -> list[Outcome]:
        """As `Place.run`; what still runs afterwards is ended."""
        theme, probe, given = call
        given = {
            name: str(folder / value.rpartition("/")[2])
            if isinstance(value, str) and value in {PROJECT, SHARED}
            else value
            for name, value in given.items()
        }
        apart = ["unshare", "--mount", "--uts", "--propagation", "private", "--"]
        ended: Ended = "ok"
        with tempfile.TemporaryFile() as answer:
            asked = [str(folder / "code"), json.dumps([theme, probe, given]), str(answer.fileno())]
            command = [sys.executable, "-B", "-c", _BARE, *asked]
            process = subprocess.Popen(
                [*apart, *command] if os.geteuid() == 0 and shutil.which("unshare") else command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[answer.fileno()],
                start_new_session=True,
            )
            began = time.monotonic()
            try:
                process.wait(timeout=special.timeout)
            except subprocess.TimeoutExpired:
                ended = "timeout"
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            answer.seek(0)
            try:
                value = json.loads(answer.read(_MOST))
            except ValueError:
                value = None
        if ended == "ok" and process.returncode:
            ended = "crashed"
        return [_outcome(value, ended, _last_line(process), time.monotonic() - began)]


def _last_line(process: subprocess.Popen[bytes]) -> str:
    """Of what it wrote to its standard error, without waiting for who else may hold it."""
    if process.stderr is None:
        return ""
    with process.stderr as stream:
        os.set_blocking(stream.fileno(), False)
        lines = (stream.read() or b"").decode(errors="replace").splitlines()
    return lines[-1] if lines else ""
