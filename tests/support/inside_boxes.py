"""The real supervisor as pid 1 of a box that bubblewrap makes, and a host that talks with it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agentcop_processor.sandbox import inside
from agentcop_processor.sandbox.inside.wire import frames, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSIDE = Path(inside.__path__[0])
PATIENCE = 60.0
"""Seconds until a box that says nothing fails the test."""
_PYTHON = Path(sys.executable).resolve()
_SEEN = ("/usr", "/bin", "/lib", "/lib64", "/etc", sys.base_prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a call."""

    status: str
    exit: int | None
    answer: dict[str, object]
    """The child's JSON, its value decoded; empty unless the status is `ok`."""
    out: bytes
    err: bytes
    out_cut: int
    err_cut: int

    @property
    def value(self) -> object:
        """What the tool returned; fails the test where it did not."""
        assert self.status == "ok", (self.status, self.exit, self.err)
        assert "value" in self.answer, self.answer
        return self.answer["value"]


class Box:
    """A box and the host's end of its pipes; a context that kills it."""

    def __init__(
        self,
        *,
        max_result: int = 1 << 20,
        max_output: int = 1 << 16,
        confine: Mapping[str, object] | None = None,
        egress: Path | None = None,
        bwrap: Sequence[str] = (),
    ) -> None:
        if egress is not None:
            bwrap = (*bwrap, "--ro-bind", str(egress), "/agentcop/egress")
        seen = [word for path in _SEEN for word in ("--ro-bind-try", path, path)]
        self._process = subprocess.Popen(
            [
                *("bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL"),
                *("--uid", "65534", "--gid", "65534", *seen, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
                *("--ro-bind", str(INSIDE), "/agentcop/inside", *bwrap, "--remount-ro", "/", "--chdir", "/tmp"),
                *("--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp"),
                *("--setenv", "TMPDIR", "/tmp", "--setenv", "LANG", "C.UTF-8", "--"),
                *(str(_PYTHON), "-I", "-S", "-B", "/agentcop/inside"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._used = False
        limits = {"max_result": max_result, "max_output": max_output, "confine": confine}
        self.say({"op": "open", "limits": limits, "egress": egress is not None})
        ready, _ = self.hear()
        self.facts: dict[str, object] = dict(ready["facts"])  # type: ignore[call-overload]  # else the test fails here

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def say(self, message: dict[str, object], *raw: bytes) -> None:
        """Write a message, whatever it says."""
        self.write(b"".join(bytes(piece) for piece in frames.packed(message, raw)))

    def write(self, data: bytes) -> None:
        """Write bytes, whatever they are."""
        assert self._process.stdin is not None
        left = memoryview(data)
        while left:
            left = left[os.write(self._process.stdin.fileno(), left) :]

    def cleaned(self) -> bool:
        """Whether the box says that nothing is left of a call; else it is about to end. Once after each call."""
        self._used = False
        try:
            message, _ = self.hear()
        except EOFError:
            return False
        assert message == {"op": "clean"}
        return True

    def hear(self) -> tuple[dict[str, object], list[bytes]]:
        """The next message and its frames."""
        return frames.receive(self._read)

    def prepare(  # noqa: PLR0913 -- a parcel's parts
        self,
        source: str = "",
        name: str = "tool",
        *,
        module: str = "made_up",
        init: object = None,
        method: str = "",
        path: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Send a parcel; `source` may be indented."""
        init = None if init is None else values.encode(init)
        text = textwrap.dedent(source)
        parcel = {"module": module, "name": name, "source": text, "init": init, "method": method}
        assert not self._used or self.cleaned(), "what the last call left could not be removed"
        self.say({"op": "prepare"}, frames.dumps({**parcel, "path": list(path), "env": dict(env or {})}))

    def call(self, *args: object, timeout: float = PATIENCE, **kwargs: object) -> Done:
        """Call what was prepared."""
        arguments = {"args": values.encode(list(args)), "kwargs": values.encode(kwargs)}
        self.say({"op": "call", "timeout": timeout}, frames.dumps(arguments))
        return self.done()

    def run(self, source: str, *args: object, timeout: float = PATIENCE, **kwargs: object) -> Done:
        """Prepare and call a function `tool` of this module."""
        self.prepare(source)
        return self.call(*args, timeout=timeout, **kwargs)

    def cut_off(self, source: str, *args: object) -> Done:
        """A call that never ends by itself, under a deadline that let it print something first."""
        for timeout in (1.0, 5.0, PATIENCE):
            done = self.run(source, *args, timeout=timeout)
            if done.out:
                break
        return done

    def done(self) -> Done:
        """What the box says of the call that runs."""
        message, (result, out, err) = self.hear()
        assert message["op"] == "done"
        self._used = True
        answer = frames.loads(result) if result else {}
        assert isinstance(answer, dict)
        if "value" in answer:
            answer["value"] = values.decode(answer["value"])
        exited, out_cut, err_cut = message["exit"], message["stdout_cut"], message["stderr_cut"]
        assert exited is None or isinstance(exited, int)
        assert isinstance(out_cut, int)
        assert isinstance(err_cut, int)
        return Done(
            status=str(message["status"]),
            exit=exited,
            answer=answer,
            out=out,
            err=err,
            out_cut=out_cut,
            err_cut=err_cut,
        )

    def hang_up(self) -> int:
        """Close the box's standard input; the exit status of the whole box."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        """The exit status of the whole box, which ends by itself."""
        return self._process.wait(PATIENCE)

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        file = self._process.stdout.fileno()
        until = time.monotonic() + PATIENCE
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([file], [], [], max(until - time.monotonic(), 0))
            assert ready, "the box says nothing"
            piece = os.read(file, size - len(data))
            if not piece:
                raise EOFError(self._process.stderr.read() if self._process.stderr else b"")
            data += piece
        return data
