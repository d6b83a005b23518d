"""What a command fetches before it runs it: the package or image, and whether its version is fixed."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHELLS: Final = words("cmd cmd.exe sh bash zsh dash pwsh powershell powershell.exe env")
_NPM: Final = words("npx bunx pnpx")
_NPM_VERBS: Final = {("npm", "exec"), ("npm", "x"), ("pnpm", "dlx"), ("yarn", "dlx"), ("bun", "x"), ("pnpm", "exec")}
_CONTAINERS: Final = words("docker podman nerdctl")
_PROJECT_RUNNERS: Final = words("tsx ts-node tsc nodemon prettier eslint vite vitest jest turbo nx")
"""Of a project's own dependencies; only `-y` says that one is to be fetched."""
_VALUED: Final = words(
    "-p --package -c --call --registry --cache --prefix --with --python --index --index-url --extra-index-url"
    " --directory"
    " --default-index --project --env-file --from --with-editable --with-requirements --constraints --spec --pip-args"
)
_DOCKER_VALUED: Final = words(
    "-e --env -v --volume --name --network --net -p --publish -w --workdir -u --user --mount --env-file --entrypoint"
    " --platform -h --hostname --add-host -l --label -m --memory --cpus --gpus --pull --cap-add --cap-drop"
    " --security-opt"
    " --device --ipc --pid --tmpfs --ulimit --restart --log-driver --dns --shm-size --userns --expose --link --cidfile"
)
_VERSION: Final = re.compile(r"v?\d[\w.+-]*+")
_MOVING: Final = words("main master head latest develop dev trunk nightly edge next")


def unpinned(command: Sequence[str]) -> str:
    """The package or image that a command fetches without a fixed version; "" if there is none."""
    rest = _inner([word.strip("\"'") for word in command])
    if not rest:
        return ""
    program = PurePosixPath(rest[0].replace("\\", "/")).name.lower().removesuffix(".cmd").removesuffix(".exe")
    args = rest[1:]
    if program in _NPM:
        return _npm(args, eager=program != "npx")
    if args and (program, args[0]) in _NPM_VERBS:
        return _npm(args[1:], eager=args[0] == "dlx")
    if (
        program == "uvx"
        or (program == "uv" and args[:2] == ["tool", "run"])
        or (program == "pipx" and args[:1] == ["run"])
    ):
        return _python(args if program == "uvx" else args[args.index("run") + 1 :])
    if program in _CONTAINERS and "run" in args and args[0] != "compose":
        return _image(args[args.index("run") + 1 :])
    return ""


def _inner(command: list[str]) -> list[str]:
    """The command that a shell is asked to run; a variable set before it is no command."""
    while command and PurePosixPath(command[0].lower()).name in _SHELLS:
        command = [word for word in command[1:] if not word.lower().startswith(("-", "/c", "/d"))]
        if len(command) == 1 and " " in command[0]:
            command = command[0].split()
    while command and "=" in command[0] and not command[0].startswith(("-", "/", ".")):
        command = command[1:]
    return command


def _option(args: Sequence[str], *names: str) -> str:
    for at, word in enumerate(args):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else next(iter(args[at + 1 : at + 2]), "")
    return ""


def _first(args: Sequence[str], valued: frozenset[str]) -> str:
    """The first word that is neither an option nor an option's value."""
    skip = False
    for word in args:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in valued
        else:
            return word
    return ""


def _is_local(name: str) -> bool:
    return not name or name.startswith((".", "/", "~", "file:", "$")) or "\\" in name


def _npm(args: Sequence[str], *, eager: bool) -> str:
    asked = _option(args, "-p", "--package")
    name = asked or _first(args, _VALUED)
    if _is_local(name):
        return ""
    if name in _PROJECT_RUNNERS and not eager and not {"-y", "--yes"} & set(args):
        return ""
    if name.startswith(("git+", "github:", "http:", "https:")):
        return "" if _is_revision(name.rpartition("#")[2]) and "#" in name else name
    version = name[1:].rpartition("@")[2] if "@" in name[1:] else ""
    return "" if _VERSION.fullmatch(version) else name


def _python(args: Sequence[str]) -> str:
    name = _option(args, "--from", "--spec") or _first(args, _VALUED)
    if _is_local(name):
        return ""
    if name.startswith(("git+", "http:", "https:")):
        address = name.partition("://")[2].partition("#")[0].partition("/")[2]
        if name.endswith((".whl", ".tar.gz")):
            return ""
        return "" if "@" in address and _is_revision(address.rpartition("@")[2]) else name
    for mark in ("===", "==", "@"):
        if mark in name:
            return "" if _VERSION.fullmatch(name.rpartition(mark)[2].strip()) else name
    return name


def _is_revision(name: str) -> bool:
    return bool(name) and name.lower() not in _MOVING and not name.startswith("semver:")


def _image(args: Sequence[str]) -> str:
    name = _first(args, _DOCKER_VALUED)
    if not name or "@sha256:" in name or name.startswith("$"):
        return ""
    tag = name.rpartition("/")[2].partition(":")[2]
    return "" if tag and tag.lower() not in _MOVING else name
