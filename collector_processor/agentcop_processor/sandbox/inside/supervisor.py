"""Pid 1 of a box: one fork a call, a deadline for each, and nothing of a call left when the next one begins.

It speaks with the host over its standard input and output, and trusts the host only. The tool's process gets neither:
what it writes to its own pipes is bytes to pass on. Whatever is wrong here ends pid 1, and the kernel then ends
everything else in the box: the host sees a lost link, never a call that went on.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from . import child, native
from .forked import Forked, HostGone, NotDead
from .wire.frames import MAX_FRAME, BadFrame, packed, receive
from .wire.pipes import CHUNK, write_all
from .wire.pipes import wipe as wipe_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from .wipe import Before
    from .wire.frames import Raw

_SOCKET = "/agentcop/egress/proxy.sock"
_BUNDLE = "/agentcop/egress/ca.pem"
_MANY = 1 << 53
_HOST_IN, _HOST_OUT = 0, 1
_OPENED_ONLY_HERE = 2  # exit status: this is no box


def main() -> int:
    """Serve until the host closes standard input; the exit status. Blocks."""
    if os.getpid() != 1:
        sys.stderr.write("agentcop: the supervisor of a box must be its pid 1\n")
        return _OPENED_ONLY_HERE
    native.set_dumpable(dumpable=False)
    native.undo_signals()
    native.note_deaths()
    gc.freeze()  # nor is any of this ever garbage
    gc.enable()
    try:
        _Box().serve()
    except HostGone:
        return 0
    except (BadFrame, NotDead, OSError, MemoryError) as error:
        sys.stderr.write(f"agentcop: the supervisor ends: {type(error).__name__}: {error}\n")
        return 1


class _Box:
    """One conversation with the host."""

    __slots__ = (
        "_before",
        "_confine",
        "_env",
        "_forget",
        "_forked",
        "_greedy",
        "_limits",
        "_null",
        "_prepared",
        "_scratch",
    )

    def __init__(self) -> None:
        self._forked: Forked | None = None
        self._prepared = False
        self._scratch = bytearray(CHUNK)
        self._null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self._before: Before | None = None
        self._confine: Callable[[], None] | None = None
        self._greedy: Callable[[], bool] | None = None
        self._env: dict[str, str] = {}
        self._forget: Callable[[], None] = _nothing
        self._limits = {"max_result": 0, "max_output": 0}

    def serve(self) -> NoReturn:
        """Answer until the host is gone. Raises HostGone, BadFrame, NotDead, OSError."""
        self._open(*receive(_read))
        while True:
            if self._forked is not None:
                self._forked.idle(_HOST_IN)
            message, raw = receive(_read)
            operation = message.get("op")
            if operation == "prepare" and not self._prepared and len(raw) == 1:
                self._forked = self._forked or self._fork()
                self._forked.send(raw[0])
                self._prepared = True
            elif operation == "call" and self._forked is not None and self._prepared and len(raw) == 1:
                self._call(self._forked, raw[0], _number(message, "timeout", above=0))
                self._forked, self._prepared = None, False
            else:
                raise BadFrame("not what the host may say now")

    def _open(self, message: Mapping[str, object], raw: list[bytearray]) -> None:
        limits = message.get("limits")
        if message.get("op") != "open" or raw or not isinstance(limits, dict):
            raise BadFrame("the host begins with something else than open")
        self._limits = {name: min(int(_number(limits, name)), MAX_FRAME) for name in self._limits}
        confine = limits.get("confine")
        if confine is not None:
            self._confine = lambda: _confine(confine)
            if memory := int(confine.get("memory", 0)):
                self._greedy = lambda: _greedy(memory)
        relay = bool(message.get("egress"))
        if relay:
            from .relay import forget, start

            self._env = _proxied(start(_SOCKET))
            self._forget = forget
        # The child gets ready for a tool, and has none yet, while this process does the same and the host judges it.
        self._forked = self._fork()
        from . import facts, wipe

        self._before = wipe.Before()
        self._say({"op": "ready", "facts": facts.gather(relay=relay)})

    def _fork(self) -> Forked:
        def run(request: int, result: int, out: int, err: int) -> NoReturn:
            child.run((self._null, out, err, request, result), self._limits["max_result"], self._confine, self._env)

        return Forked(run, scratch=self._scratch, **self._limits)

    def _call(self, forked: Forked, arguments: bytearray, timeout: float) -> None:
        began = time.monotonic()
        status, result = forked.call(arguments, timeout, _HOST_IN, self._greedy)
        ended = time.monotonic()
        exited = forked.exit if status == "crashed" else None
        forked.kill()
        self._forget()
        self._say(
            {
                "op": "done",
                "status": status,
                "exit": exited,
                "ms": round((ended - began) * 1000, 3),
                "stdout_cut": forked.out.cut,
                "stderr_cut": forked.err.cut,
            },
            [result, forked.out.text(), forked.err.text()],
        )
        forked.wipe()
        wipe_bytes(self._scratch)
        if self._before is None or not self._before.restore():  # nothing of the call runs, and nobody waits for this
            raise NotDead("a call left what could not be removed")
        self._say({"op": "clean"})

    def _say(self, message: dict[str, object], raw: list[Raw] | None = None) -> None:
        try:
            write_all(_HOST_OUT, packed(message, raw or ()))
        except OSError:
            raise HostGone from None


def _nothing() -> None:
    """There is no relay to forget what it carried."""


def _confine(limits: Mapping[str, int]) -> None:
    """In the child: only it needs the module."""
    from .confine import confine

    confine(limits)


def _greedy(memory: int) -> bool:
    """Whether the tool holds too much: most calls are over before anybody asks."""
    from .memory import above

    return above(memory)


def _read(size: int) -> bytearray:
    """Exactly so many bytes from the host. Raises HostGone at the end of standard input."""
    data = bytearray(size)
    left = memoryview(data)
    while left:
        taken = os.readv(_HOST_IN, [left])
        if taken == 0:
            raise HostGone
        left = left[taken:]
    return data


def _number(message: Mapping[str, object], name: str, *, above: float = -1) -> float:
    number = message.get(name)
    if type(number) in {int, float} and above < number < _MANY:  # type: ignore[operator]  # a number, as was just asked
        return number  # type: ignore[return-value]  # the same
    raise BadFrame(f"{name} must be a number above {above}")


def _proxied(port: int) -> dict[str, str]:
    """What tells HTTP clients of the one way out."""
    proxy = f"http://127.0.0.1:{port}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    env = {spelt: proxy for name in names for spelt in (name, name.lower())}
    env |= {"NO_PROXY": "", "no_proxy": ""}
    bundles = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return env | dict.fromkeys(bundles, _BUNDLE)
