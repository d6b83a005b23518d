"""Files: the host's to read, its and the image's to write, and programs made in the box."""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import stat
import struct
import subprocess
import time

from .tries import Tries, in_child, libc, open_to_write, read, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MINE = "agentcop-escape"
_SECONDS = 6.0
# What belongs to the kernel, and what the tool may write to.
_SKIPPED = {"/proc", "/sys", "/tmp", "/dev/shm", "/dev/fd", "/agentcop/shared"}
_DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
_PROGRAMS = ("/bin/true", "/usr/bin/true", "/bin/sh", "/usr/bin/dash")
_MS_BIND = 4096
_AT_FDCWD = -100


def root_written(tries: Tries) -> None:
    """A file in any folder of the box but its temporary one."""
    until = time.monotonic() + _SECONDS
    looked = 0
    for top, folders, _ in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(top, name) not in _SKIPPED]
        if time.monotonic() > until or len(tries.achieved) > 5:
            break
        looked += 1
        path = os.path.join(top, f".{_MINE}")
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            continue
        os.unlink(path)
        tries.achieve(f"wrote into {top}")
    tries.refuse("folders", f"{looked} tried")


def host_file(tries: Tries, secret_file: str) -> None:
    """A file of the host, by its path and by every other name that a path has."""
    for before in (
        "",
        "/proc/1/root",
        "/proc/self/root",
        "/proc/1/cwd/..",
        "/proc/self/cwd/..",
        "/proc/thread-self/root",
    ):
        tries.look(before + secret_file, read, before + secret_file)
    tries.look("/../..", read, "/../../../../.." + secret_file)


def host_file_by_link(tries: Tries, secret_file: str) -> None:
    """A file of the host, and /etc/shadow, by symbolic and hard links made in the box."""
    for name, target in (("secret", secret_file), ("shadow", "/etc/shadow")):
        link = f"/tmp/{_MINE}-{name}-{os.getpid()}"
        os.symlink(target, link)
        try:
            tries.look(f"link to {target}", read, link)
            tries.look(f"hard link to {target}", _linked, target, link + "-hard")
        finally:
            os.unlink(link)


def _linked(target: str, link: str) -> bytes:
    os.link(target, link)
    try:
        return read(link)
    finally:
        os.unlink(link)


def host_file_by_handle(tries: Tries, secret_file: str, secret_inode: int) -> None:
    """open_by_handle_at: any file of the file system that a mount is of, by its number."""
    mounts = [line.split()[4] for line in read("/proc/self/mountinfo").decode().splitlines()]
    for mount in dict.fromkeys(["/", *mounts]):
        for inode in (secret_inode, 2):
            # File handle of ext4 and xfs: 8 bytes, kind 1, inode, generation 0 (any, for many file systems).
            handle = struct.pack("<IiII", 8, 1, inode & 0xFFFFFFFF, 0)
            try:
                folder = os.open(mount, os.O_RDONLY)
            except OSError:
                continue
            try:
                tries.attempt(
                    f"open_by_handle_at({mount}, {inode})",
                    syscall,
                    "open_by_handle_at",
                    folder,
                    handle,
                    os.O_RDONLY,
                )
            finally:
                os.close(folder)
    tries.look("its own handle", _by_own_handle, secret_file)


def _by_own_handle(path: str) -> bytes:
    handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0), 136)
    mount = ctypes.create_string_buffer(4)
    syscall("name_to_handle_at", _AT_FDCWD & (1 << 64) - 1, path.encode(), handle, mount, 0)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    file = syscall("open_by_handle_at", folder, handle, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)
        os.close(folder)


def root_of_pid_1(tries: Tries) -> None:
    """The root folder of pid 1, and of every other process that is to be seen."""
    for name in sorted(os.listdir("/proc")):
        if name.isdigit() and int(name) != os.getpid():
            path = f"/proc/{name}/root"
            tries.attempt(path, _another_root, path)


def _another_root(path: str) -> None:
    """Raises OSError unless a root other than the tool's own can be entered."""
    if os.path.samestat(os.stat(path + "/"), os.stat("/")):
        raise OSError(17, "the same root")


def mounted(tries: Tries) -> None:
    """A file system mounted, moved, or made anew, by the old system calls and the new ones."""
    place = f"/tmp/{_MINE}-mount-{os.getpid()}"
    os.mkdir(place)
    try:
        for what, source, kind, flags in (
            ("tmpfs", b"none", b"tmpfs", 0),
            ("proc", b"none", b"proc", 0),
            ("bind of /", b"/", None, _MS_BIND),
            ("writable remount", b"none", None, 32 | _MS_BIND),
        ):
            if tries.attempt(
                f"mount({what})",
                libc,
                "mount",
                source,
                place.encode(),
                kind,
                ctypes.c_ulong(flags),
                None,
            ):
                libc("umount2", place.encode(), 2)
        tries.attempt("umount", libc, "umount2", b"/agentcop/inside", 2)
        tries.attempt("fsopen", syscall, "fsopen", b"tmpfs", 0)
        tries.attempt("open_tree", syscall, "open_tree", _AT_FDCWD & (1 << 64) - 1, b"/", 1)
        tries.attempt("pivot_root", syscall, "pivot_root", place.encode(), place.encode())
    finally:
        os.rmdir(place)
    status = in_child(_errno_of, os.chroot, "/tmp")
    if status == 0:
        tries.achieve("chroot")
    else:
        tries.refuse("chroot", OSError(status, os.strerror(status)))


def devices_made(tries: Tries) -> None:
    """A device of the machine, made in the box."""
    for name, kind, device in (
        ("memory", stat.S_IFCHR, os.makedev(1, 1)),
        ("disk", stat.S_IFBLK, os.makedev(254, 0)),
        ("null", stat.S_IFCHR, os.makedev(1, 3)),
    ):
        path = f"/tmp/{_MINE}-device-{os.getpid()}"
        if tries.attempt(f"mknod({name})", os.mknod, path, kind | 0o600, device):
            os.unlink(path)


def devices_there(tries: Tries) -> None:
    """A device other than null, zero, full, random, urandom and terminals, opened."""
    for folder, _, names in os.walk("/dev"):
        if folder.startswith(("/dev/shm", "/dev/mqueue", "/dev/pts", "/dev/fd")):
            continue
        for name in names:
            path = os.path.join(folder, name)
            if name in _DEVICES or len(tries.achieved) > 5 or os.path.islink(path):
                continue
            tries.attempt(path, os.open, path, os.O_RDONLY | os.O_NONBLOCK)
    tries.refuse("/dev", "looked through")


def program_in_tmp(tries: Tries) -> None:
    """A program that the tool has written itself, executed."""
    source = next(path for path in _PROGRAMS if os.path.exists(path))
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run"):
        path = f"{folder}/{_MINE}-program-{os.getpid()}"
        try:
            shutil.copyfile(source, path)
            os.chmod(path, 0o755)  # noqa: S103 -- a program
        except OSError as error:
            tries.refuse(f"write {path}", error)
            continue
        try:
            tries.attempt(f"exec {folder}", _ran, path)
        finally:
            os.unlink(path)


def _ran(path: str) -> None:
    subprocess.run([path], stdin=subprocess.DEVNULL, check=False, close_fds=False)


def program_in_memory(tries: Tries) -> None:
    """A program in an anonymous file, executed where a program in /tmp may not be."""
    source = next(path for path in _PROGRAMS if os.path.exists(path))
    try:
        file = syscall("memfd_create", b"x", 0)
        os.write(file, read(source, 1 << 24))
    except OSError as error:
        tries.refuse("memfd_create", error)
        return
    os.set_inheritable(file, True)
    tries.attempt("a program in memory", _ran, f"/proc/self/fd/{file}")


def became_root(tries: Tries) -> None:
    """Another user than 65534, root first of all."""
    for name, action, argument in (
        ("setuid(0)", os.setuid, 0),
        ("setgid(0)", os.setgid, 0),
        ("setreuid(0)", _real_and_effective, 0),
        ("setgroups(0)", os.setgroups, [0]),
        ("setuid(1000)", os.setuid, 1000),
        ("chown to root", _chowned, 0),
    ):
        status = in_child(_errno_of, action, argument)
        if status == 0:
            tries.achieve(name)
        else:
            tries.refuse(name, OSError(status, os.strerror(status)) if status > 0 else f"signal {-status}")


def _errno_of(action: Callable[[object], None], argument: object) -> int:
    """0 where it was done."""
    try:
        action(argument)
    except OSError as error:
        return error.errno or 99
    return 0


def _real_and_effective(number: int) -> None:
    os.setreuid(number, number)


def _chowned(owner: int) -> None:
    path = f"/tmp/{_MINE}-chown-{os.getpid()}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        os.chown(path, owner, owner)
    finally:
        os.unlink(path)


def code_of_the_supervisor(tries: Tries) -> None:
    """The supervisor's own code, and the suite's, changed for the next call."""
    _changed(tries, "/agentcop/inside", "__main__.py")
    _changed(tries, "/agentcop/escape/probes", "entry.py")


def mounted_project(tries: Tries, project: str) -> None:
    """The project's mounted files changed, renamed, removed, or given another time."""
    _changed(tries, project, "settings.py")


def _changed(tries: Tries, folder: str, name: str) -> None:
    path = f"{folder}/{name}"
    if not os.path.exists(path):
        tries.refuse(path, "is not there")
        return
    tries.attempt(f"write {path}", open_to_write, path)
    tries.attempt(f"rename {path}", os.rename, path, path + "-old")
    tries.attempt(f"remove {path}", os.unlink, path)
    tries.attempt(f"chmod {path}", os.chmod, path, 0o666)
    tries.attempt(f"utime {path}", os.utime, path, (1, 1))
    tries.attempt(f"new file in {folder}", os.open, f"{folder}/{_MINE}", os.O_CREAT | os.O_WRONLY)
    tries.attempt(f"link in {folder}", os.symlink, "/etc", f"{folder}/{_MINE}-link")
    tries.attempt(f"xattr {path}", os.setxattr, path, "user.agentcop", b"x")
    tries.attempt(f"O_TMPFILE in {folder}", os.open, folder, os.O_TMPFILE | os.O_RDWR, 0o600)


def mapped_file_written(tries: Tries, project: str) -> None:
    """A read-only file changed through /proc/self/mem, which writes where the page may not be written."""
    path = f"{project}/settings.py"
    with open(path, "rb") as file:
        view = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    start = next(
        int(line.split("-")[0], 16) for line in read("/proc/self/maps", 1 << 20).decode().splitlines() if path in line
    )

    def write() -> None:
        memory = os.open("/proc/self/mem", os.O_RDWR)
        try:
            os.pwrite(memory, b"#changed", start)
        finally:
            os.close(memory)

    tries.attempt("shared page written through /proc/self/mem", write)
    view.close()


def environment_of_all(tries: Tries) -> None:
    """The host's environment: in the tool's own, in that of every process, and in the command lines."""
    tries.see("os.environ", repr(dict(os.environ)))
    for name in sorted(os.listdir("/proc")):
        if name.isdigit():
            for part in ("environ", "cmdline"):
                tries.look(f"/proc/{name}/{part}", read, f"/proc/{name}/{part}")


def inherited_files(tries: Tries) -> None:
    """An open file of the host, inherited."""
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the one that listed them
        if target.startswith("pipe:") and int(name) in {1, 2, 4}:
            tries.refuse(f"file {name}", f"{target}, the call's own")
        elif target == "/dev/null" or (target.startswith("pipe:") and int(name) == 0):
            tries.refuse(f"file {name}", f"{target}, empty")
        else:
            tries.achieve(f"file {name} is {target}")
            tries.look(f"file {name}", os.pread, int(name), 4096, 0)
