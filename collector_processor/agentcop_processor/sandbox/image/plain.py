"""The plain image: Python and its standard library, from Debian's packages."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from agentcop_core.home import absolute, make_private
from agentcop_processor.sandbox.image import CannotBuild
from agentcop_processor.sandbox.image.archive import Built, is_whole, write_archive
from agentcop_processor.sandbox.image.compiled import put_bytecode
from agentcop_processor.sandbox.image.packages import Package, download, extract, find_packages, need_apt
from agentcop_processor.sandbox.image.skeleton import put_certificates, put_skeleton
from agentcop_processor.sandbox.image.tree import Symlink, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LEFT_OUT: Final = (
    "etc/cron*",
    "etc/default/*",
    "etc/dpkg/*",
    "etc/logcheck/*",
    "etc/profile*",
    "etc/skel/*",
    "etc/update-motd.d/*",
    "root/*",
    "usr/lib/*/gconv/*",
    "usr/lib/python3*/config-*/*",
    "usr/lib/python3*/ensurepip/*",
    "usr/lib/python3*/idlelib/*",
    "usr/lib/python3*/lib2to3/tests/*",
    "usr/lib/python3*/pydoc_data/*",
    "usr/lib/python3*/test/*",
    "usr/lib/python3*/tkinter/*",
    "usr/share/bug/*",
    "usr/share/doc-base/*",
    "usr/share/info/*",
    "usr/share/lintian/*",
    "usr/share/man/*",
    "usr/share/menu/*",
    "usr/share/pixmaps/*",
    "usr/share/python3/*",
    "usr/share/zoneinfo/posix/*",
    "usr/share/zoneinfo/right/*",
)
"""Nothing that a tool's call reads."""
_DOC: Final = "usr/share/doc/"


def build_plain(
    cache: Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> tuple[Built, tuple[Package, ...]]:
    """The image's archive, and of which packages it is. In `cache`, made unless one of the same packages is there.

    `tell` hears what is being done. Blocks for seconds; raises CannotBuild, OSError.
    """
    need_apt()
    folder = cache or cache_folder()
    debs = folder / "packages"
    if not debs.is_dir():
        make_private(debs)
    packages = find_packages()
    key = _key(packages)
    for known in folder.glob(f"plain-{key}-*.tar"):
        digest, size = known.stem.rsplit("-", 2)[1:]
        if is_whole(known, f"sha256:{digest}"):
            return Built(path=known, id=f"sha256:{digest}", size=int(size)), packages
    tell(f"fetching {len(packages)} Debian packages")
    download(packages, debs)
    with tempfile.TemporaryDirectory(prefix="build-", dir=folder) as made:
        built = _build(packages, debs, Path(made))
        kept = folder / f"plain-{key}-{built.id.removeprefix('sha256:')}-{built.size}.tar"
        for old in folder.glob("plain-*.tar"):
            old.unlink(missing_ok=True)
        built.path.rename(kept)
    return Built(path=kept, id=built.id, size=built.size), packages


def python_of(packages: Sequence[Package]) -> str:
    """The version of the Python among them: `3.11.2`."""
    found = (re.match(r"python3\.\d+-minimal_([\d.]+)", package.file) for package in packages)
    return next((match[1] for match in found if match), "3")


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CACHE_HOME/agentcop/image`, else the one in the user's home folder."""
    return Path(absolute(environ.get("XDG_CACHE_HOME") or "~/.cache")) / "agentcop" / "image"


def _key(packages: Sequence[Package]) -> str:
    """The hash of all that decides what is in the image: the packages, and the code that puts them together."""
    digest = hashlib.sha256("\n".join(f"{package.file} {package.sha256}" for package in packages).encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _build(packages: Sequence[Package], debs: Path, folder: Path) -> Built:
    root, bytecode = folder / "root", folder / "bytecode"
    root.mkdir()
    bytecode.mkdir()
    extract(packages, debs, root)
    tree = Tree()
    tree.put_folder("", root, _wanted)
    put_skeleton(tree)
    put_certificates(tree, (root / "usr/share/ca-certificates").rglob("*.crt"))
    if "bin/sh" not in tree:
        tree.put("bin/sh", Symlink(target="dash"))
    python, home = _python(root)
    put_bytecode(tree, bytecode, python, home)
    version = subprocess.run(  # noqa: S603 -- the interpreter that was just unpacked
        [*python, "-S", "-c", "import platform; print(platform.python_version())"],
        capture_output=True,
        text=True,
        check=True,
        env=dict(home),
    ).stdout.strip()
    return write_archive(tree, folder / "image.tar", python=version, kind="plain")


def _wanted(path: PurePosixPath, found: Path) -> bool:
    if str(path).startswith(_DOC):
        return path.name == "copyright" or found.is_dir()  # what the licences ask to keep
    return "__pycache__" not in path.parts and not any(_below(path, pattern) for pattern in _LEFT_OUT)


def _below(path: PurePosixPath, pattern: str) -> bool:
    depth = len(PurePosixPath(pattern).parts)
    return PurePosixPath(*path.parts[:depth]).match(pattern)


def _python(root: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """How the unpacked interpreter is run where it lies, without being root: by its own loader, in its own library."""
    programs = sorted((root / "usr/bin").glob("python3.[0-9]*"))
    loaders = [each for each in sorted(root.glob("**/ld-linux*.so.*")) if each.is_file()]
    libraries = sorted({str(each.parent) for each in root.glob("**/lib*.so.*")})
    if not programs or not loaders:
        raise CannotBuild("Debian's packages hold no Python that could be run")
    version = programs[0].name.removeprefix("python")
    stdlib = root / f"usr/lib/python{version}"
    environ = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": f"{stdlib}:{stdlib}/lib-dynload"}
    return (str(loaders[0]), "--library-path", ":".join(libraries), str(programs[0])), environ
