"""The image that matches an environment: its interpreter, its packages, and the libraries of this machine they need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.image import CannotBuild
from agentcop_processor.sandbox.image.archive import Built, write_archive
from agentcop_processor.sandbox.image.compiled import put_bytecode
from agentcop_processor.sandbox.image.interpreter import find_interpreter
from agentcop_processor.sandbox.image.libraries import find_libraries, is_program
from agentcop_processor.sandbox.image.site import Packages, put_packages
from agentcop_processor.sandbox.image.skeleton import put_certificates, put_skeleton
from agentcop_processor.sandbox.image.tree import Symlink, Text, Tree

if TYPE_CHECKING:
    from collections.abc import Collection

    from agentcop_processor.sandbox.image.interpreter import Interpreter
    from agentcop_processor.sandbox.image.libraries import Libraries

VENV: Final = "/opt/venv"
"""Where the packages are in the box, wherever they are here."""
_NOT_A_LIBRARY: Final = frozenset(
    {"__pycache__", "dist-packages", "ensurepip", "idlelib", "site-packages", "test", "tests", "tkinter", "turtledemo"}
)
"""What of a standard library no tool's call needs; its own packages are not the environment's."""
_CERTIFICATES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_DATA: Final = ("/etc/os-release", "/etc/mime.types", "/etc/protocols", "/etc/services")
_FOLDERS: Final = ("/usr/share/zoneinfo", "/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8")
_COPIES: Final = frozenset({"posix", "right"})
_SHELLS: Final = ("/bin/dash", "/bin/sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """An image of an environment, and what a person should know of it."""

    built: Built
    interpreter: Interpreter
    packages: Packages
    absent: tuple[str, ...]
    """Libraries that nothing was found for: a package that needs one will not be imported in the box."""


def build_baked(venv: Path | None, folder: Path, never: Collection[Path] = ()) -> Baked:
    """Write the archive of an environment into `folder`, which is the caller's. Blocks; raises CannotBuild, OSError.

    `never`: see `put_packages`.
    """
    interpreter = find_interpreter(venv)
    tree = Tree()
    put_skeleton(tree)
    _put_system(tree)
    _put_interpreter(tree, interpreter)
    packages = put_packages(tree, interpreter.sites, f"{VENV}/lib/python{interpreter.short}/site-packages", never)
    absent = _put_libraries(tree)
    (bytecode := folder / "bytecode").mkdir()
    put_bytecode(tree, bytecode, [str(interpreter.program), "-I"], {})
    built = write_archive(tree, folder / "image.tar", python=interpreter.version, kind="venv")
    return Baked(built=built, interpreter=interpreter, packages=packages, absent=absent)


def _put_system(tree: Tree) -> None:
    """What Python looks up of a system: names, zones, a shell, whom TLS trusts."""
    for name in _DATA:
        if Path(name).is_file():
            tree.put_file(name, Path(name))
    for name in _FOLDERS:
        if Path(name).is_dir():
            tree.put_folder(name, Path(name), lambda inner, _: inner.parts[0] not in _COPIES)
    shell = next((Path(each) for each in _SHELLS if Path(each).is_file()), None)
    if shell is None:
        raise CannotBuild("there is no /bin/sh here")
    tree.put_file("/bin/sh", shell)
    bundle = next((Path(each) for each in _CERTIFICATES if Path(each).is_file()), None)
    if bundle is None:
        raise CannotBuild("there are no CA certificates here: install ca-certificates")
    put_certificates(tree, [bundle])


def _put_interpreter(tree: Tree, interpreter: Interpreter) -> None:
    """Put the interpreter at its own path, where it finds its library, and `python3` on the path."""
    tree.put_file(str(interpreter.program), interpreter.program)
    for library in interpreter.stdlib:
        tree.put_folder(str(library), library, _is_library)
    first = f"{interpreter.stdlib[0]}/site-packages"
    debian = f"/usr/local/lib/python{interpreter.short}/dist-packages"
    line = f"import site; site.addsitedir('{VENV}/lib/python{interpreter.short}/site-packages')\n"
    for site in (first, debian):
        tree.put(f"{site}/agentcop-venv.pth", Text(data=line.encode()))
    for name in ("python3", "python", f"python{interpreter.short}"):
        if f"usr/bin/{name}" not in tree:
            tree.put(f"usr/bin/{name}", Symlink(target=str(interpreter.program)))


def _is_library(inner: PurePosixPath, found: Path) -> bool:
    if inner.parts[0] in _NOT_A_LIBRARY or inner.parts[0].startswith("config-") or "__pycache__" in inner.parts:
        return False
    return found.suffix not in {".a", ".exe"} and "tests" not in inner.parts[:2]


def _put_libraries(tree: Tree) -> tuple[str, ...]:
    programs = sorted({source for _, source in tree.files() if _may_be_program(source) and is_program(source)})
    libraries = find_libraries(programs)
    inside = {source for _, source in tree.files()}
    for library in sorted(libraries.found):
        if library.resolve() not in inside:
            _put_library(tree, library, libraries)
    brought = {source.name for source in inside}
    return tuple(sorted(libraries.absent - brought))


def _may_be_program(source: Path) -> bool:
    return ".so" in source.name or not source.suffix or source.suffix[1:].isdigit()


def _put_library(tree: Tree, library: Path, libraries: Libraries) -> None:
    """At its own path, and where the loader looks without the cache that this machine has."""
    tree.put_file(str(library), library)
    beside = f"{libraries.folder}/{library.name}"
    if beside not in tree:
        tree.put(beside, Symlink(target=str(library)))
