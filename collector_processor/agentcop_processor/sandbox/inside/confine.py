"""What the process that is the tool gives up before any of the tool's code runs, where no container holds it.

The limits are each process's own: what all of them hold together the supervisor looks at, see `memory`. Landlock adds
what the mounts of a box cannot say: what is mounted so that it can be written cannot be executed. (The dynamic linker
can still be told to map such a file, which gives a tool no more than it has: it runs what code it likes anyway.)
"""

from __future__ import annotations

import _ctypes
import os
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # landlock's system calls, the same on every machine
_VERSION = 1  # asks for the version only
_PATH_BENEATH = 1  # the kind of rule that is about a folder or file

# Rights on files, as bits; later versions of landlock know more.
_EXECUTE, _WRITE = 1 << 0, 1 << 1
_REMOVE_AND_MAKE = 0b1_1111_1111 << 4  # folders, files, devices, sockets, pipes, links
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_REFER_SINCE, _TRUNCATE_SINCE, _SCOPES_SINCE = 2, 3, 6
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

_libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself


def confine(limits: Mapping[str, int]) -> None:
    """Limit this process and all that it starts, for good; `limits` as the protocol has them. Raises OSError."""
    if limits.get("landlock"):
        _landlock()
    _limit(resource.RLIMIT_AS, limits["as"])
    _limit(resource.RLIMIT_DATA, limits.get("data", limits["as"]))
    _limit(resource.RLIMIT_NPROC, limits["nproc"])
    _limit(resource.RLIMIT_NOFILE, limits["nofile"])
    _limit(resource.RLIMIT_FSIZE, limits["fsize"])
    for none in (resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE, resource.RLIMIT_RTPRIO):
        _limit(none, 0)


def _limit(what: int, most: int) -> None:
    """Never more than it was."""
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


def _landlock() -> None:
    """Forbid to write elsewhere, and to execute what can be written. Does nothing where the kernel has no landlock."""
    version = _syscall(_CREATE_RULESET, 0, 0, _VERSION)
    if version < 1:
        return
    for_files = _WRITE
    if version >= _TRUNCATE_SINCE:
        for_files |= _TRUNCATE
    for_folders = for_files | _REMOVE_AND_MAKE
    if version >= _REFER_SINCE:
        for_folders |= _REFER
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0
    attributes = _u64(_EXECUTE | for_folders) + (_u64(0) + _u64(scopes) if scopes else b"")
    ruleset = _syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        raise OSError("landlock_create_ruleset failed")
    for path, writable in _mounts():
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # it lies under another mount, and nobody can reach it
        rights = _EXECUTE if not writable else for_folders if os.path.isdir(path) else for_files
        if _syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _u64(rights) + place.to_bytes(4, "little"), 0) != 0:
            raise OSError(f"landlock_add_rule failed for {path}")
        os.close(place)
    if _syscall(_RESTRICT_SELF, ruleset, 0) != 0:
        raise OSError("landlock_restrict_self failed")
    os.close(ruleset)


def _mounts() -> Iterator[tuple[str, bool]]:
    """What is mounted in this box, and whether a tool may write there; of `/` only what is mounted on it counts.

    Not in `/proc`, where pid 1 has files of the same user.
    """
    with open("/proc/self/mounts", "rb") as file:
        for line in file:
            _, escaped, _, options, *_ = line.split(b" ")
            path = os.fsdecode(_unescaped(escaped))
            if path not in {"/", "/proc"} and not path.startswith("/etc/"):
                yield path, b"ro" not in options.split(b",")


def _unescaped(path: bytes) -> bytes:
    """The kernel writes a space, tab, newline or backslash as a backslash and three octal digits."""
    first, *rest = path.split(b"\\")
    return first + b"".join(bytes((int(piece[:3], 8),)) + piece[3:] for piece in rest)


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _syscall(*arguments: int | bytes) -> int:
    """Numbers of 32 bits and buffers in, an `int` out; -1 is an error."""
    result: int = _ctypes.call_function(_ctypes.dlsym(_libc, "syscall"), arguments)
    return result
