"""What a probe notes of what it tried, and the way to a system call that Python has no function for."""

from __future__ import annotations

import ctypes
import errno
import os
import platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN = 300
_SEEN = 10_000

_libc = ctypes.CDLL(None, use_errno=True)

X86 = platform.machine() == "x86_64"
# Number on x86_64, and on architectures with the kernel's generic table.
_NUMBERS = {
    "ptrace": (101, 117),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "acct": (163, 89),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "iopl": (172, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "clock_settime": (227, 112),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "ioprio_set": (251, 30),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "finit_module": (313, 273),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "pidfd_open": (434, 434),
    "clone3": (435, 435),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "mount_setattr": (442, 442),
}


def syscall(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make the system call of that name. Raises OSError, with ENOSYS where this architecture has none."""
    number = _NUMBERS[name][0 if X86 else 1]
    if number is None:
        raise OSError(errno.ENOSYS, "no such system call here")
    return checked(
        _libc.syscall(
            ctypes.c_long(number), *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
        )
    )


def libc(name: str, *arguments: object) -> int:
    """Call libc's function of that name, which sets errno. Raises OSError."""
    return checked(getattr(_libc, name)(*arguments))


def checked(result: int) -> int:
    """The result, unless it is -1. Raises OSError with what errno says."""
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


class Tries:
    """What came of a probe's attempts. One that notes nothing at all has tried nothing, and proves nothing."""

    def __init__(self) -> None:
        """Nothing was tried yet."""
        self.achieved: list[str] = []
        """What no box should let happen."""
        self.refused: list[str] = []
        """What was tried in vain, with why."""
        self.seen: list[str] = []
        """Text that was read; the host looks for what it hid."""

    def attempt(self, what: str, action: Callable[..., object], *arguments: object) -> bool:
        """Do it; achieved unless it raises OSError. What is opened stays so until the process ends."""
        try:
            action(*arguments)
        except OSError as error:
            self.refuse(what, error)
            return False
        self.achieve(what)
        return True

    def look(self, what: str, action: Callable[..., str | bytes], *arguments: object) -> None:
        """Read something: that it can be read is no escape, what stands there may be one."""
        try:
            text = action(*arguments)
        except OSError as error:
            self.refuse(what, error)
            return
        self.see(what, text)

    def see(self, what: str, text: str | bytes) -> None:
        """Note text that was read."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        self.seen.append(f"{what}: {text[:_SEEN]}")

    def achieve(self, what: str) -> None:
        """Note what should not have been possible."""
        self.achieved.append(what[:_SHOWN])

    def refuse(self, what: str, why: object) -> None:
        """Note what was not possible."""
        if isinstance(why, OSError):
            why = errno.errorcode.get(why.errno or 0, str(why))
        self.refused.append(f"{what}: {why}"[:_SHOWN])


def read(path: str, most: int = 65_536) -> bytes:
    """The file's beginning. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        text = b""
        while len(text) < most and (piece := file.read(most - len(text))):
            text += piece
        return text


def open_to_write(path: str) -> None:
    """Open for writing, and write nothing. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))


def in_child(body: Callable[..., int], *arguments: object) -> int:
    """Run it in a forked child; its exit status, negative for a signal. For what may end or change the process."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = body(*arguments)
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
