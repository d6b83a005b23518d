"""Other processes: the host's, those of another box, and those that a call leaves behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

from .tries import Tries, in_child, libc, read, syscall

_FOR_EVER = """\
import signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue
time.sleep(120)
"""
_FORKING = """\
import os, time
end = time.time() + 60
while time.time() < end:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
"""
_PTRACE_ATTACH, _PTRACE_SEIZE, _PTRACE_TRACEME = 16, 0x4206, 0
_KEY = 0x61676370


def host_process_killed(tries: Tries, victim: int) -> None:
    """A process of the host, killed by its number."""
    for name, action, arguments in (
        ("kill", os.kill, (victim, signal.SIGUSR1)),
        ("killpg", os.killpg, (victim, signal.SIGUSR1)),
        ("sigqueue", libc, ("sigqueue", victim, int(signal.SIGUSR1), None)),
    ):
        tries.attempt(f"{name} {victim}", action, *arguments)
    try:
        file = syscall("pidfd_open", victim, 0)
    except OSError as error:
        tries.refuse(f"pidfd_open {victim}", error)
    else:
        tries.attempt(f"pidfd_send_signal {victim}", syscall, "pidfd_send_signal", file, int(signal.SIGUSR1), None, 0)


def host_processes_seen(tries: Tries) -> None:
    """What else runs on the host: its command lines."""
    for name in sorted(os.listdir("/proc")):
        if name.isdigit():
            for part in ("cmdline", "comm", "status"):
                tries.look(f"/proc/{name}/{part}", read, f"/proc/{name}/{part}")


def everything_killed(tries: Tries) -> None:
    """kill(-1): all that a program may kill."""
    tries.refuse("kill -1", "what was hit is looked at on the host")
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def traced(tries: Tries) -> None:
    """Another process of the box traced, as a debugger does."""
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(20)"])
    try:
        for name, request in (("attach", _PTRACE_ATTACH), ("seize", _PTRACE_SEIZE)):
            tries.attempt(f"ptrace {name}", syscall, "ptrace", request, child.pid, None, None)
    finally:
        child.kill()
        child.wait()
    status = in_child(_traced_itself)
    if status == 0:
        tries.achieve("ptrace traceme")
    else:
        tries.refuse("ptrace traceme", OSError(status, os.strerror(status)))


def _traced_itself() -> int:
    try:
        syscall("ptrace", _PTRACE_TRACEME, 0, None, None)
    except OSError as error:
        return error.errno or 99
    return 0


def memory_of_others(tries: Tries) -> None:
    """The memory of another process of the box, by the calls that debuggers use."""
    secret = ctypes.create_string_buffer(b"only here", 16)
    gate, hold = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hold)
        os.read(gate, 1)
        os._exit(0)
    mine = ctypes.create_string_buffer(16)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(mine), 16)
    remote = (ctypes.c_void_p * 2)(ctypes.addressof(secret), 16)
    try:
        for name in ("process_vm_readv", "process_vm_writev"):
            tries.attempt(name, syscall, name, pid, ctypes.addressof(local), 1, ctypes.addressof(remote), 1, 0)
        file = syscall("pidfd_open", pid, 0)
        tries.attempt("pidfd_getfd", syscall, "pidfd_getfd", file, 0, 0)
    except OSError as error:
        tries.refuse("pidfd_open", error)
    finally:
        os.close(hold)
        os.waitpid(pid, 0)


def _spawn_for_ever(token: str) -> None:
    subprocess.Popen([sys.executable, "-I", "-S", "-c", _FOR_EVER, token], start_new_session=True)


def outlives_its_return(tries: Tries, token: str) -> None:
    """A grandchild in a session of its own, which ignores signals, after the tool has returned."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        _spawn_for_ever(token)
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.3)
    tries.refuse("grandchild left", "what still runs is looked at on the host")


def outlives_the_deadline(tries: Tries, token: str) -> None:
    """The tool and a grandchild, both deaf to signals, past the deadline."""
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    _spawn_for_ever(token)
    time.sleep(120)
    tries.achieve("slept for two minutes")


def keeps_forking(tries: Tries, token: str) -> None:
    """A process that is another every millisecond, so that no list of processes ever has it."""
    for _ in range(4):
        subprocess.Popen([sys.executable, "-I", "-S", "-c", _FORKING, token], start_new_session=True)
    time.sleep(0.5)
    tries.refuse("forks left", "what still runs is looked at on the host")


def stops_itself(tries: Tries) -> None:
    """SIGSTOP to itself: a stopped process hears nothing."""
    os.kill(os.getpid(), signal.SIGSTOP)
    tries.achieve("was woken up again")


def shared_memory_of_the_host(tries: Tries, key: int) -> None:
    """System V and POSIX memory and queues that have no file: the host's."""
    library = ctypes.CDLL(None, use_errno=True)
    library.shmat.restype = ctypes.c_void_p
    try:
        number = libc("shmget", key, ctypes.c_size_t(64), 0)
        place = library.shmat(number, None, 0o10000)
        tries.see(f"shared memory {key:#x}", ctypes.string_at(place, 64))
    except OSError as error:
        tries.refuse(f"shmget {key:#x}", error)
    tries.look("/dev/shm", lambda: repr(os.listdir("/dev/shm")))
    tries.look("/proc/sysvipc/shm", read, "/proc/sysvipc/shm")
    tries.look("/dev/mqueue", lambda: repr(os.listdir("/dev/mqueue")))


def shared_memory_left(tries: Tries, own_key: int) -> None:
    """System V memory that the host, or another box, finds afterwards."""
    try:
        libc("shmget", own_key, ctypes.c_size_t(64), 0o1666)
        tries.refuse("shmget", "made, in whose namespace the host sees")
    except OSError as error:
        tries.refuse("shmget", error)


def box_beside(tries: Tries, token: str) -> None:
    """The same tool in another box at the same time: its files, sockets, memory and processes."""
    mine = f"{token}-{os.urandom(6).hex()}"
    places = [folder for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run") if os.access(folder, os.W_OK)]
    for folder in places:
        with open(f"{folder}/{mine}", "w", encoding="ascii") as file:
            file.write("x")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound = True
    try:
        server.bind("\0" + token)
    except OSError:
        bound = False
        tries.achieve("the other box's abstract socket is in the way")
    subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(20)", mine])
    time.sleep(3)
    for folder in places:
        for name in os.listdir(folder):
            if name.startswith(token) and name != mine:
                tries.achieve(f"{folder}/{name} is the other box's")
        os.unlink(f"{folder}/{mine}")
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and token in (line := read(f"/proc/{name}/cmdline").decode()) and mine not in line:
                tries.achieve(f"process {name} is the other box's")
    tries.refuse("another box", f"was looked for in {places}, by an abstract socket {bound} and in /proc")
