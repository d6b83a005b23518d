"""gate.log: one chained JSON line on disk before a tool runs, and one after it.

JSON Lines at `<state folder>/gate.log`, 0600, one `write` a line, shared by all processes of a machine. The lines, by
`kind`; empty fields are left out, and `t` (RFC 3339, UTC, µs), `w`, `n`, `prev` (the chain, see `chain`) are on each:

start     a writer begins: `pid`, `version`; after a fork or a failed write `from` (the head it goes on from) and `why`
decision  `agent session run call tool args verdict rule at policy digest approval decided_by`, `reason`, `mode`
outcome   what became of the call: `outcome` (`ok` and `error` if its body ran), and `of`, the head of its decision line
          Of a call in a box `sandbox_mode` (`container`, `process`), `sandbox_engine` (`docker`, `podman`, `process`)
          and, where a `fallback` gave it another mode than the policy's, `sandbox_fallback`; of its way out
          `egress_refused` (a list of `place`, `why`, `times`), `egress_reached` (how often by place), and
          `egress_unlisted`: requests for other places than the 16 of either
          After an `allow`: `sandbox_refused`, `changed` and `approval_refused` say that the call was refused after all
          After a decision `require_approval` it is what became of asking (`approved`, `denied`, `expired`,
          `no_approver`, `approver_failed`), with `approval` (its id), `by`, `message`, `approvers` (the policy's); if
          the call may run, a decision `allow` follows with the same `approval`, and `approved_locally` where no
          service stood between agent and approver
invalid   arguments that did not fit the tool: nothing was judged, nothing ran
policy    a policy file changed: `outcome` (`replaced`, `loosened`: that may let more through, `kept`: it is no policy
          now, and the last good one stays), `policy_digest`, `mode`, `file`, and `was` and `changes`, or `problems`
"""

from __future__ import annotations

import errno
import functools
import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from agentcop_core.locks import IMPORTING
from agentcop_processor.gatelog.chain import MAX_LINE, Head, line_hash, new_writer
from agentcop_processor.gatelog.lineform import Stamp, line_body
from agentcop_processor.gatelog.logfile import LogFile, free_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["GateLog", "Head"]

_MIB = 1_048_576
_SETTLE_EVERY = 1.0  # seconds between looks at whether another process rotated the file
_DISTRIBUTION = "agentcop-runtime"
_FORK = "fork"
_NO_HEAD = Head("", -1, "")
_log = logging.getLogger("agentcop")

_forks = 0
_reset_lock = threading.Lock()


def _forked() -> None:
    global _forks, _reset_lock  # noqa: PLW0603 -- the hook runs once a child, before any other code of it
    _forks += 1
    _reset_lock = threading.Lock()  # the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class GateLog:
    """A process's writer of gate.log. Thread-safe; safe to use on both sides of a fork, and from finalisers.

    Every method that writes raises OSError, and only that, when the line is not on its way to the disk: the caller must
    not run the tool then. The chain stays sound: the next line that gets through begins a new writer and says why.
    """

    def __init__(  # noqa: PLR0913 -- clocks, ids and the system call come in as arguments
        self,
        folder: Path,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        writer_id: Callable[[], str] = new_writer,
        write: Callable[[int, bytes], int] = os.write,
        free: Callable[[Path], int] = free_bytes,
        max_bytes: int = 64 * _MIB,
        files: int = 10,
    ) -> None:
        """Does no I/O: the file is opened by `open()` or the first `append`."""
        self._file = LogFile(folder, max_bytes=max_bytes, files=files, free=free)
        self._stamp = Stamp(now)
        self._monotonic = monotonic
        self._writer_id = writer_id
        self._system_write = write
        self._lock = threading.RLock()
        self._forks, self._pid = _forks, os.getpid()
        self._head: Head | None = None
        self._restart: str | None = ""  # why the next line cannot go on from `_head`; None when it can
        self._settle_at = 0.0
        self._warnings: list[str] = []

    @property
    def head(self) -> Head | None:
        """The last line that this process, or the one it was forked from, wrote; None before the first."""
        return self._head

    def open(self) -> Head:
        """Prove that the log can be written: opens it and writes the `start` line, unless that was done."""
        with self._own_lock():
            self._ready()
            head = self._head
        self._warn()
        return head or _NO_HEAD

    def append(self, fields: Mapping[str, object], *, raw_args: bytes | None = None, sync: bool = False) -> Head:
        """Write one line and return its head. Blocks for one `write`; with `sync` also until it is on the disk.

        `fields` needs `kind` and is written in its order; `t`, `w`, `n` and `prev` are ours. `raw_args`: JSON, already
        redacted, to stand as `args` as it is. What JSON cannot say is written as its `repr`.
        """
        body = line_body(fields, raw_args)
        # Twice a tool call: what is seldom due is asked for here, in one line, and done elsewhere.
        with self._lock if self._pid == os.getpid() and self._forks == _forks else self._own_lock():
            file = self._file
            if self._restart is not None or file.size >= file.limit or self._monotonic() >= self._settle_at:
                self._ready()
            head = self._put(body)
            copy = os.dup(self._file.fd) if sync else -1
        if sync:
            self._sync(copy)
        if self._warnings:
            self._warn()
        return head

    def close(self) -> None:
        """Close the file. A later `append` opens it again and goes on with the same chain."""
        with self._own_lock():
            self._file.close()
            self._settle_at = 0.0

    def _own_lock(self) -> threading.RLock:
        """The lock; a new one in a forked child, where a thread that is gone may have held the old one."""
        # The hook misses children made by C code; the pid misses one with the same pid in another namespace.
        if self._pid != os.getpid() or self._forks != _forks:
            with _reset_lock:
                if self._pid != os.getpid() or self._forks != _forks:
                    self._lock = threading.RLock()
                    self._file.close()
                    self._restart = _FORK
                    self._forks, self._pid = _forks, os.getpid()
        return self._lock

    def _ready(self) -> None:
        """Be on the right file with a chain to go on from. Raises OSError."""
        clock = self._monotonic()
        if self._file.fd < 0:
            self._note(self._file.open())
            self._settle_at = clock + _SETTLE_EVERY
        elif clock >= self._settle_at or self._file.size >= self._file.limit:
            self._note(self._file.settle())
            self._settle_at = clock + _SETTLE_EVERY
        if self._restart is not None:
            self._start(self._restart)

    def _start(self, why: str) -> None:
        writer, parent = self._writer_id(), self._head
        fields = {"kind": "start", "pid": os.getpid(), "version": _version(), "from": str(parent or ""), "why": why}
        line = b'{"t":"%b",%b,"w":"%b","n":0}' % (self._stamp(), line_body(fields, None), writer.encode())
        # After a failed write a newline first, to end what a short one left; a blank line is nobody's line.
        before = b"\n" if why not in {"", _FORK} else b""
        self._write(b"%b%b\n" % (before, line), Head(writer, 0, line_hash(line)))

    def _put(self, body: bytes) -> Head:
        # Set before the number is taken, until the head has moved on: an exception out of a signal handler, or a line
        # that a finaliser writes on this very thread in between, must not leave a number to be used twice.
        self._restart = "interrupted"
        writer, seq, last = self._head or _NO_HEAD
        seq += 1
        line = b'{"t":"%b",%b,"w":"%b","n":%d,"prev":"%b"}' % (self._stamp(), body, writer.encode(), seq, last.encode())
        if len(line) >= MAX_LINE:
            self._restart = None
            raise OSError(errno.EMSGSIZE, f"a line of {len(line)} bytes is too long for gate.log")
        head = Head(writer, seq, line_hash(line))
        self._write(line + b"\n", head)
        return head

    def _write(self, data: bytes, head: Head) -> None:
        self._restart = "interrupted"
        try:
            written = self._system_write(self._file.fd, data)
        except OSError as error:
            self._fail(_name(error))
            raise
        if written != len(data):
            self._fail("short write")
            raise OSError(errno.ENOSPC, f"gate.log took {written} of {len(data)} bytes")
        self._file.size += written
        self._head = head
        self._restart = None

    def _fail(self, why: str) -> None:
        self._restart = why
        self._file.close()  # a stale handle heals by opening anew

    def _sync(self, copy: int) -> None:
        """Wait for the disk outside the lock, on a descriptor of our own that no rotation can close."""
        try:
            os.fsync(copy)
        except OSError as error:
            with self._own_lock():
                self._fail(_name(error))
            raise
        finally:
            os.close(copy)

    def _note(self, warning: str) -> None:
        if warning:
            self._warnings.append(warning)

    def _warn(self) -> None:
        """Say what was noted, outside the lock: a logging handler may itself end in a gated call."""
        while self._warnings:
            _log.warning("agentcop: %s", self._warnings.pop(0))


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")


@functools.cache
def _version() -> str:
    with IMPORTING:
        from importlib import metadata

    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return ""
