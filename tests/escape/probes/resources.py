"""More of the machine than was granted: processes, memory, disk, priority."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import resource
import sys
import time

from .tries import Tries, in_child, libc, syscall

_MIB = 1 << 20
_FORKS = 200
_MEMORY = 640
_DISK = 48
_FLOOD = 300


def fork_bomb(tries: Tries) -> None:
    """200 processes at once, where 64 are allowed."""
    gate, hold = os.pipe()
    children: list[int] = []
    try:
        while len(children) < _FORKS:
            pid = os.fork()
            if pid == 0:
                os.close(hold)
                os.read(gate, 1)
                os._exit(0)
            children.append(pid)
        tries.achieve(f"{len(children)} processes at once")
    except OSError as error:
        tries.refuse(f"fork after {len(children)}", error)
    finally:
        os.close(hold)
        for pid in children:
            os.waitpid(pid, 0)


def thread_bomb(tries: Tries) -> None:
    """300 threads at once, where 64 tasks are allowed."""
    import threading

    end = threading.Event()
    threads: list[threading.Thread] = []
    try:
        while len(threads) < _FORKS + 100:
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            threads.append(thread)
        tries.achieve(f"{len(threads)} threads at once")
    except (RuntimeError, MemoryError) as error:
        tries.refuse(f"thread after {len(threads)}", error)
    finally:
        end.set()


def _touch(mib: int) -> int:
    """Own so many MiB and touch every page; 0 where it was possible."""
    kept = []
    try:
        for _ in range(mib // 16):
            block = mmap.mmap(-1, 16 * _MIB)
            for page in range(0, 16 * _MIB, 4096):
                block[page] = 1
            kept.append(block)
    except (MemoryError, OSError):
        return 1
    return 0


def memory_bomb(tries: Tries) -> None:
    """640 MiB in one process, where 256 are allowed."""
    status = in_child(_touch, _MEMORY)
    if status == 0:
        tries.achieve(f"{_MEMORY} MiB in one process")
    else:
        tries.refuse(f"{_MEMORY} MiB in one process", f"exit {status}")


def memory_by_many(tries: Tries) -> None:
    """640 MiB in four processes together, where 256 are allowed."""
    ready, told = os.pipe()
    gate, hold = os.pipe()
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            os.close(hold)
            status = _touch_and_wait(told, gate)
            os._exit(status)
        children.append(pid)
    os.close(told)
    held = 0
    while piece := os.read(ready, 16):
        held += len(piece)
        if held == len(children):
            break
    os.close(hold)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    if held == len(children):
        tries.achieve(f"{_MEMORY} MiB in four processes at once")
    else:
        tries.refuse(f"{_MEMORY} MiB in four processes", f"exits {ends}")


def _touch_and_wait(told: int, gate: int) -> int:
    kept = []
    try:
        for _ in range(_MEMORY // 4 // 16):
            block = mmap.mmap(-1, 16 * _MIB)
            for page in range(0, 16 * _MIB, 4096):
                block[page] = 1
            kept.append(block)
    except (MemoryError, OSError):
        return 1
    os.write(told, b".")
    os.close(told)
    os.read(gate, 1)
    return 0


def memory_in_files(tries: Tries) -> None:
    """640 MiB in anonymous files, which no limit of address space counts."""
    status = in_child(_anonymous_files)
    if status == 0:
        tries.achieve(f"{_MEMORY} MiB in anonymous files")
    else:
        tries.refuse(f"{_MEMORY} MiB in anonymous files", f"exit {status}")


def _anonymous_files() -> int:
    block = b"x" * _MIB
    try:
        for _ in range(_MEMORY // 8):
            file = syscall("memfd_create", b"x", 0)
            for _ in range(8):
                os.write(file, block)
    except (MemoryError, OSError):
        return 1
    return 0


def _fill(tries: Tries, folder: str) -> None:
    """Write 48 files of 1 MiB each into the folder, and remove them again."""
    paths: list[str] = []
    try:
        for number in range(_DISK):
            path = f"{folder}/agentcop-escape-{os.getpid()}-{number}"
            paths.append(path)
            with open(path, "wb") as file:
                file.write(b"x" * _MIB)
        tries.achieve(f"{_DISK} MiB in {folder}")
    except OSError as error:
        tries.refuse(f"{folder} after {len(paths) - 1} MiB", error)
    finally:
        for path in paths:
            with contextlib.suppress(OSError):
                os.unlink(path)


def disk_in_tmp(tries: Tries) -> None:
    """48 MiB in /tmp, where 16 are allowed."""
    _fill(tries, "/tmp")


def disk_in_shm(tries: Tries) -> None:
    """48 MiB in /dev/shm."""
    _fill(tries, "/dev/shm")


def disk_elsewhere(tries: Tries) -> None:
    """48 MiB in any other folder that a program may usually write to."""
    for folder in (
        "/var/tmp",
        "/run",
        "/run/lock",
        "/dev",
        "/dev/mqueue",
        "/home",
        "/mnt",
        "/srv",
        "/opt",
        "/agentcop",
    ):
        if os.path.isdir(folder):
            _fill(tries, folder)


def raised_limits(tries: Tries) -> None:
    """A hard limit raised again."""
    for name in ("RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_MEMLOCK"):
        number = getattr(resource, name)
        _, hard = resource.getrlimit(number)
        if hard == resource.RLIM_INFINITY:
            tries.refuse(name, "has no limit to raise")
            continue
        try:
            resource.setrlimit(number, (hard + 1, hard + 1))
        except (OSError, ValueError) as error:
            tries.refuse(name, error)
        else:
            resource.setrlimit(number, (hard, hard))
            tries.achieve(f"{name} raised above {hard}")


def real_time(tries: Tries) -> None:
    """A real-time priority."""
    for name, policy in (("SCHED_FIFO", os.SCHED_FIFO), ("SCHED_RR", os.SCHED_RR)):
        if tries.attempt(name, os.sched_setscheduler, 0, policy, os.sched_param(1)):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    tries.attempt("ioprio class real time", syscall, "ioprio_set", 1, 0, 1 << 13)


def nicer_than_others(tries: Tries) -> None:
    """A priority above that of other programs."""
    tries.attempt("nice -5", os.nice, -5)
    tries.attempt("setpriority -10", os.setpriority, os.PRIO_PROCESS, 0, -10)


def spared_by_the_oom_killer(tries: Tries) -> None:
    """That the kernel ends another program than the tool when memory is short."""

    def spare() -> None:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("-500")

    tries.attempt("oom_score_adj -500", spare)


def locked_memory(tries: Tries) -> None:
    """128 MiB that can never be swapped out."""
    block = ctypes.create_string_buffer(16 * _MIB)
    held = []
    try:
        for _ in range(8):
            libc("mlock", block, ctypes.c_size_t(len(block)))
            held.append(block)
            block = ctypes.create_string_buffer(16 * _MIB)
        tries.achieve("128 MiB locked")
    except (OSError, MemoryError) as error:
        tries.refuse(f"mlock after {16 * len(held)} MiB", error)


def flooded_stdout(tries: Tries) -> None:
    """300 MB of standard output, held by nobody."""
    _flood(1)
    tries.refuse("300 MB written to stdout", "what the host holds is looked at there")


def flooded_stderr(tries: Tries) -> None:
    """300 MB of standard error, held by nobody."""
    _flood(2)
    tries.refuse("300 MB written to stderr", "what the host holds is looked at there")


def _flood(file: int) -> None:
    block = memoryview(b"x" * _MIB)
    for _ in range(_FLOOD):
        left = block
        while left:
            left = left[os.write(file, left) :]


def flooded_result(tries: Tries) -> None:
    """A result of 10 MB, where one is allowed."""
    tries.seen = ["x" * _MIB] * 10


def endless_result(tries: Tries) -> None:
    """A result of 100 MB, more than any frame may hold."""
    tries.seen = ["x" * _MIB] * 100


def busy_for_ever(tries: Tries) -> None:
    """Running on past the deadline, with every signal ignored."""
    import signal

    for number in range(1, 32):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        sum(range(1000))
    sys.setrecursionlimit(1000)
    tries.achieve("ran for a minute")
