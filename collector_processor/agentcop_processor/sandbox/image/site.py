"""Which of an environment's packages go into the image, and as what: nothing that points outside, and no secret."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from agentcop_processor.sandbox.image import CannotBuild
from agentcop_processor.sandbox.image.tree import Text
from agentcop_processor.sandbox.shipping.hidden import Hidden

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from agentcop_processor.sandbox.image.tree import Tree

_CACHES: Final = frozenset({"__pycache__", ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_SECRET: Final = re.compile(
    r"^(\.env(\..*)?|.*\.env|\.git|\.hg|\.svn|\.netrc|\.npmrc|\.pypirc|\.ssh|\.aws|id_(rsa|dsa|ecdsa|ed25519))$"
)
_INSTALLER: Final = re.compile(r"^pip(-[^/]*\.dist-info)?$")
"""The tool that fills environments: ten megabytes that no call needs."""
_ARMING: Final = frozenset({"agentcop.pth", "agentcop-boot.start"})
"""Arms a process on the host; what runs in the box has been judged."""
_NOT_SOURCE: Final = frozenset({"node_modules", "venv"})
_HIDDEN: Final = Hidden()
_HOOK: Final = re.compile(r"editable|_finder|__path_hook__", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What was taken of an environment."""

    count: int
    """Distributions."""
    sources: tuple[Path, ...]
    """Folders of editable installs, as they are now."""
    left: int
    """Files and whole folders that were left out: caches, secrets, links that lead nowhere."""


def put_packages(tree: Tree, sites: tuple[Path, ...], at: str, never: Collection[Path] = ()) -> Packages:
    """Put the packages of `sites` below `at`. Raises CannotBuild for an install that cannot be copied, and OSError.

    `never`: files and folders that no project's copy has: the policy, the state folder; links resolved.
    """
    sources: list[Path] = []
    left = count = 0
    for site in sites:
        left += tree.put_folder(at, site, _fits)
        count += sum(1 for each in site.glob("*.dist-info") if not _INSTALLER.match(each.name))
        for file in sorted(site.glob("*.dist-info/direct_url.json")):
            _put_origin(tree, f"{at}/{file.relative_to(site)}", file)
        for file in sorted(site.glob("*.pth")):
            if file.name not in _ARMING:
                sources += _outside(tree, f"{at}/{file.name}", file)
    sources = list(dict.fromkeys(sources))
    places = []
    for number, source in enumerate(sources):
        places.append(f"/opt/editable/{number}")
        left += tree.put_folder(places[-1], source, lambda inner, found: _is_source(inner, found, never))
    if places:
        tree.put(f"{at}/agentcop-editable.pth", Text(data="".join(f"{each}\n" for each in places).encode()))
    return Packages(count=count, sources=tuple(sources), left=left)


def _fits(inner: PurePosixPath, found: Path) -> bool:
    if found.suffix == ".pth" and len(inner.parts) == 1:
        return False  # read line by line, elsewhere
    if _INSTALLER.match(inner.parts[0]) or inner.parts[0] in _ARMING or inner.name == "direct_url.json":
        return False
    return _decent(inner) and (not found.is_symlink() or _decent(PurePosixPath(found.resolve())))


def _is_source(inner: PurePosixPath, found: Path, never: Collection[Path]) -> bool:
    """A project's folder holds more than its packages: only what can be imported goes, and what lies in that.

    As where a project is mounted into a box, nothing hidden, no key, no policy and no state folder.
    """
    if len(inner.parts) == 1 and not _importable(found):
        return False
    if _HIDDEN.hides_name(inner.name) or inner.name in _NOT_SOURCE or found.is_symlink():
        return False
    return _decent(inner) and found not in never and not (found / "pyvenv.cfg").exists()


def _importable(found: Path) -> bool:
    """A module, a package, or a folder of packages."""
    if found.is_file():
        return found.suffix in {".py", ".so"}
    if not found.name.isidentifier() or not found.is_dir():
        return False
    return (found / "__init__.py").is_file() or any(found.glob("*/__init__.py"))


def _decent(path: PurePosixPath) -> bool:
    return not any(part in _CACHES or _SECRET.match(part) for part in path.parts) and path.suffix != ".pyc"


def _outside(tree: Tree, place: str, file: Path) -> Iterator[Path]:
    """Folders that a `.pth` adds to the path; its other lines are kept."""
    kept = []
    for line in _lines(file):
        folder = (file.parent / line).resolve()
        if line.startswith(("import ", "import\t")):
            if _HOOK.search(line) or _HOOK.search(file.name):
                raise CannotBuild(
                    f"{file.name}: an editable install that works by an import hook, whose files cannot be told:"
                    " install that project without -e, then run this again"
                )
            kept.append(line)
        elif not line.strip() or line.startswith("#"):
            continue
        elif folder.is_relative_to(file.parent.resolve()):
            kept.append(line)
        elif folder.is_dir():
            _check_source(file, folder)
            yield folder
    if kept:
        tree.put(place, Text(data="".join(f"{line}\n" for line in kept).encode()))


def _lines(file: Path) -> list[str]:
    """Raises CannotBuild for what is no text: what it adds to the path cannot be told."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise CannotBuild(f"{file.name} is no text in UTF-8: what it adds to the path cannot be told")
    return text.splitlines()


def _check_source(file: Path, folder: Path) -> None:
    home = Path("~").expanduser().resolve()
    if home.is_relative_to(folder) or len(folder.parts) <= 2:  # noqa: PLR2004 -- /, or a folder right below it
        raise CannotBuild(f"{file.name} adds {folder}, which holds more than packages: it is not copied into an image")


def _put_origin(tree: Tree, place: str, file: Path) -> None:
    """Where a package came from, without the user, the password or the token that fetched it."""
    try:
        origin = json.loads(file.read_text(encoding="utf-8"))
        parts = urlsplit(origin["url"])
        host = parts.netloc.rpartition("@")[2]
        origin["url"] = urlunsplit((parts.scheme, host, parts.path, "", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return
    if parts.scheme != "file":  # a path of this machine tells nobody in the box anything
        tree.put(place, Text(data=json.dumps(origin).encode()))
