"""The kernel's own doors: system calls that no tool needs, and the files that turn the whole machine."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import time

from .tries import X86, Tries, in_child, libc, open_to_write, read, syscall

_NEW = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "time": 0x00000080,
}
_MOST_OPENED = 20_000
_SECONDS = 5.0


def hostname(tries: Tries) -> None:
    """The host's name set, to what it is already."""
    name = socket.gethostname().encode()
    tries.attempt("sethostname", libc, "sethostname", name, ctypes.c_size_t(len(name)))
    tries.attempt("/proc/sys/kernel/hostname", _write_back, "/proc/sys/kernel/hostname")


def _write_back(path: str) -> None:
    """Write to a file what stands in it."""
    text = read(path)
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text)
    finally:
        os.close(file)


def core_pattern(tries: Tries) -> None:
    """The program that the kernel starts, as root and outside, when a process crashes; set to what it is already."""
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hotplug",
        "/sys/kernel/uevent_helper",
        "/proc/sys/fs/binfmt_misc/status",
    ):
        tries.attempt(path, _write_back, path)


def sysrq(tries: Tries) -> None:
    """The key with which the machine can be stopped; the one that only prints help is pressed."""

    def press() -> None:
        file = os.open("/proc/sysrq-trigger", os.O_WRONLY)
        try:
            os.write(file, b"h")
        finally:
            os.close(file)

    tries.attempt("/proc/sysrq-trigger", press)


def kernel_memory(tries: Tries) -> None:
    """The memory of the kernel, and its log."""
    for path in ("/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/proc/kmsg"):
        tries.attempt(path, os.open, path, os.O_RDONLY | os.O_NONBLOCK)
    text = ctypes.create_string_buffer(64)
    tries.attempt("syslog read all", libc, "klogctl", 3, text, 64)


def kernel_addresses(tries: Tries) -> None:
    """Where the kernel stands in memory."""
    try:
        lines = read("/proc/kallsyms", 4096).decode().splitlines()[:-1]
    except OSError as error:
        tries.refuse("/proc/kallsyms", error)
        return
    if any(int(line.split()[0], 16) for line in lines):
        tries.achieve(f"/proc/kallsyms: {lines[0]}")
    else:
        tries.refuse("/proc/kallsyms", "all addresses are 0")


def settings_of_the_kernel(tries: Tries) -> None:
    """Any file in /proc/sys, /proc or /sys that can be opened for writing; nothing is written."""
    until = time.monotonic() + _SECONDS
    opened = tried = 0
    for top in ("/proc/sys", "/sys"):
        for folder, _, names in os.walk(top):
            for name in names:
                if tried >= _MOST_OPENED or opened >= 5 or time.monotonic() > until:
                    break
                tried += 1
                try:
                    open_to_write(os.path.join(folder, name))
                except OSError:
                    continue
                opened += 1
                tries.achieve(f"{folder}/{name} opened for writing")
    for name in ("irq/default_smp_affinity", "scsi/scsi", "acpi/wakeup", "bus", "fs", "mtrr", "latency_stats"):
        tries.attempt(f"/proc/{name}", open_to_write, f"/proc/{name}")
    tries.refuse("files in /proc/sys and /sys", f"{tried - opened} of {tried} cannot be opened for writing")


def unshare(tries: Tries) -> None:
    """A namespace of one's own, in which one would be root."""
    for name, flag in _NEW.items():
        status = in_child(_errno_of, "unshare", flag)
        _note(tries, f"unshare({name})", status)


def clone_into_namespaces(tries: Tries) -> None:
    """The same by clone3, whose flags no filter can read."""
    for name, flag in _NEW.items():
        arguments = ctypes.create_string_buffer(struct.pack("<11Q", flag, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88)
        status = in_child(_cloned, arguments)
        _note(tries, f"clone3({name})", status)


def _cloned(arguments: ctypes.Array[ctypes.c_char]) -> int:
    try:
        pid = syscall("clone3", arguments, len(arguments))
    except OSError as error:
        return error.errno or 99
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return 0


def _errno_of(name: str, *arguments: int | bytes | None) -> int:
    """0 where it was done."""
    try:
        syscall(name, *arguments)
    except OSError as error:
        return error.errno or 99
    return 0


def _note(tries: Tries, what: str, status: int) -> None:
    """Note a child's end: 0 is success, a number the error's, below 0 the signal that ended it."""
    if status == 0:
        tries.achieve(what)
    else:
        tries.refuse(what, OSError(status, os.strerror(status)) if status > 0 else f"signal {-status}")


def setns(tries: Tries) -> None:
    """The namespaces of pid 1, entered."""
    for name in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup"):
        status = in_child(_entered, f"/proc/1/ns/{name}")
        _note(tries, f"setns(/proc/1/ns/{name})", status)
    _note(tries, "setns(a pidfd of pid 1)", in_child(_entered_by_pidfd))


def _entered(path: str) -> int:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError as error:
        return error.errno or 99
    return _errno_of("setns", file, 0)


def _entered_by_pidfd() -> int:
    try:
        file = syscall("pidfd_open", 1, 0)
    except OSError as error:
        return error.errno or 99
    return _errno_of("setns", file, _NEW["mount"])


def modules(tries: Tries) -> None:
    """Code loaded into the kernel, or another kernel; what is offered is none."""
    with open("/dev/null", "rb") as nothing:
        for name, arguments in (
            ("finit_module", (nothing.fileno(), b"", 0)),
            ("init_module", (b"none", 4, b"")),
            ("delete_module", (b"agentcop_escape_none", 0)),
            ("kexec_load", (0, 1 << 20, None, 0)),
        ):
            _privileged(tries, name, *arguments)


def _privileged(tries: Tries, name: str, *arguments: int | bytes | None) -> None:
    """Make a call whose arguments are wrong: an error of another kind than refusal means that it was let in."""
    code = _errno_of(name, *arguments)
    if code in {1, 13, 38}:  # EPERM, EACCES, ENOSYS
        tries.refuse(name, OSError(code, os.strerror(code)))
    else:
        tries.achieve(f"{name}: let in ({os.strerror(code) if code else 'done'})")


def whole_machine(tries: Tries) -> None:
    """Restart, swap, accounting, the ports: arguments are wrong, so that nothing happens where it is allowed."""
    _privileged(tries, "reboot", 1, 2, 3)
    _privileged(tries, "swapon", b"/nonexistent", 0)
    _privileged(tries, "acct", b"/nonexistent")
    if X86:
        _privileged(tries, "iopl", 3)


def clock(tries: Tries) -> None:
    """The machine's clock, set to what it shows."""
    now = time.time_ns()
    tries.attempt("clock_settime", syscall, "clock_settime", 0, struct.pack("qq", now // 10**9, now % 10**9))


def bpf(tries: Tries) -> None:
    """A program or a map in the kernel."""
    attribute = ctypes.create_string_buffer(struct.pack("<IIII", 2, 4, 4, 1), 128)
    tries.attempt("bpf(BPF_MAP_CREATE)", syscall, "bpf", 0, attribute, 128)
    code = struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    program = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    load = ctypes.create_string_buffer(
        struct.pack("<IIQQ", 1, 2, ctypes.addressof(program), ctypes.addressof(licence)), 128
    )
    tries.attempt("bpf(BPF_PROG_LOAD)", syscall, "bpf", 5, load, 128)


def performance_events(tries: Tries) -> None:
    """perf_event_open on the tool itself and on a whole processor."""
    for name, pid, cpu in (("itself", 0, -1), ("processor 0", -1, 0)):
        attribute = ctypes.create_string_buffer(struct.pack("<IIQ", 1, 112, 0), 112)
        tries.attempt(
            f"perf_event_open({name})",
            syscall,
            "perf_event_open",
            attribute,
            pid,
            cpu,
            -1,
            0,
        )


def kernel_keys(tries: Tries) -> None:
    """The kernel's keyrings, which have no namespace."""
    tries.attempt("add_key", syscall, "add_key", b"user", b"agentcop-escape", b"x", 1, -2 & (1 << 64) - 1)
    tries.attempt("keyctl(JOIN_SESSION_KEYRING)", syscall, "keyctl", 1, None)
    tries.attempt("keyctl(GET_KEYRING_ID)", syscall, "keyctl", 0, -3 & (1 << 64) - 1, 0)
    _privileged(tries, "request_key", b"user", b"agentcop-escape-none", None, 0)


def io_uring(tries: Tries) -> None:
    """io_uring, which does what a filter of system calls forbids."""
    parameters = ctypes.create_string_buffer(120)
    tries.attempt("io_uring_setup", syscall, "io_uring_setup", 4, parameters)


def user_faults(tries: Tries) -> None:
    """userfaultfd, with which races in the kernel are won."""
    tries.attempt("userfaultfd", syscall, "userfaultfd", 1)
    tries.attempt("/dev/userfaultfd", os.open, "/dev/userfaultfd", os.O_RDWR)


def personality(tries: Tries) -> None:
    """A process without address randomization."""

    def change() -> int:
        return _errno_of("personality", 0x0040000)

    _note(tries, "personality(ADDR_NO_RANDOMIZE)", in_child(change))


def other_system_call_tables(tries: Tries) -> None:
    """Unshare by the 32-bit entrance and by the x32 numbers, past a filter that knows 64-bit numbers alone."""
    if not X86:
        tries.refuse("32-bit entrance", "not on this architecture")
        return
    # mov eax, 310 (unshare); mov ebx, CLONE_NEWUSER; int 0x80; ret
    code = b"\x53\xb8\x36\x01\x00\x00\xbb\x00\x00\x00\x10\xcd\x80\x5b\xc3"
    _note(tries, "int 0x80: unshare(user)", in_child(_executed, code))
    # mov eax, x32 | 272 (unshare); mov edi, CLONE_NEWUSER; syscall; ret
    code = b"\xb8\x10\x01\x00\x40\xbf\x00\x00\x00\x10\x0f\x05\xc3"
    _note(tries, "x32: unshare(user)", in_child(_executed, code))


def _executed(code: bytes) -> int:
    """The machine code's answer, as an errno."""
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    answer: int = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    return -answer if -99 < answer <= 0 else 98


def watched_file_system(tries: Tries) -> None:
    """fanotify: word of every file that is opened on the host's file system."""
    for name, flags in (("permission events", 4), ("content", 8), ("by name", 0xE00), ("plain", 0)):
        tries.attempt(
            f"fanotify_init({name})",
            syscall,
            "fanotify_init",
            flags,
            os.O_RDONLY,
        )


def shed_filters(tries: Tries) -> None:
    """No-new-privileges and the filter of system calls, put off again."""
    tries.attempt("PR_SET_NO_NEW_PRIVS 0", libc, "prctl", 38, 0, 0, 0, 0)
    tries.attempt("PR_SET_SECCOMP disabled", libc, "prctl", 22, 0, 0, 0, 0)
    status = dict(line.split(":\t", 1) for line in read("/proc/self/status").decode().splitlines() if ":\t" in line)
    for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapEff", "0" * 16), ("CapBnd", "0" * 16)):
        if status.get(name, "").strip() == wanted:
            tries.refuse(name, wanted)
        else:
            tries.achieve(f"{name} is {status.get(name)}")


def typed_into_the_terminal(tries: Tries) -> None:
    """Keys typed into the terminal that the host's program was started from."""
    import fcntl
    import termios

    tries.attempt("/dev/tty", os.open, "/dev/tty", os.O_RDWR)
    for file in (0, 1, 2):
        tries.attempt(f"TIOCSTI on {file}", fcntl.ioctl, file, termios.TIOCSTI, b"\0")


def cgroup_left(tries: Tries) -> None:
    """Another cgroup than the one with the limits, or other limits."""
    until = time.monotonic() + _SECONDS
    found = 0
    for folder, _, names in os.walk("/sys/fs/cgroup"):
        for name in names:
            if not name.endswith(
                ("cgroup.procs", "tasks", "release_agent", "limit_in_bytes", ".max", "notify_on_release")
            ):
                continue
            if time.monotonic() > until or len(tries.achieved) > 5:
                return
            found += 1
            path = f"{folder}/{name}"
            if name == "cgroup.procs":
                tries.attempt(path, _joined, path)
            else:
                tries.attempt(path, open_to_write, path)
    if not found:
        tries.refuse("/sys/fs/cgroup", "shows nothing")


def _joined(path: str) -> None:
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, str(os.getpid()).encode())
    finally:
        os.close(file)
