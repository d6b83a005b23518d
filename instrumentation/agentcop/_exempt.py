"""Which processes are never armed: the tools that repair an environment or a policy, started as what they are."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see _boot
if TYPE_CHECKING:
    from collections.abc import Sequence

_MODULES = frozenset({"agentcop", "ensurepip", "pip", "venv", "virtualenv"})
_SCRIPTS = ("agentcop", "pip", "virtualenv")


def is_exempt(command: Sequence[str]) -> bool:
    """Whether `sys.orig_argv` runs AgentCop's own command line, pip or a maker of virtual environments.

    A script counts by its name only where this interpreter's commands stand, and a module only if none of that name
    stands in the working folder: a program that calls itself `pip` and stands elsewhere is armed like any other.
    """
    kind, what = _started(command)
    if kind == "-m":
        return what in _MODULES and not _is_shadowed(what)
    if kind != "script":
        return False
    folder, name = os.path.split(os.path.abspath(what))  # noqa: PTH100 -- pathlib costs too much here
    name = name.removesuffix(".exe").rstrip("0123456789.")
    return name in _SCRIPTS and os.path.realpath(folder) in _command_folders()


def _is_shadowed(module: str) -> bool:
    """Whether `-m` finds a file of the program's in place of this module. Not yet visible in `sys.path`."""
    folder = os.path.abspath(module)  # noqa: PTH100 -- pathlib costs too much here
    if sys.flags.safe_path or folder == os.path.dirname(__file__):  # noqa: PTH120 -- as above
        return False
    files = (folder, os.path.join(folder, "__init__"))  # noqa: PTH118 -- as above
    return any(os.path.exists(file + suffix) for file in files for suffix in (".py", ".pyc", ".so"))  # noqa: PTH110 -- as above


def _command_folders() -> set[str]:
    site = sys.modules.get("site")
    user = getattr(site, "USER_BASE", None)
    folders = [os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin")]  # noqa: PTH118, PTH120 -- as above
    if user:
        folders.append(os.path.join(user, "bin"))  # noqa: PTH118 -- as above
    return {os.path.realpath(folder) for folder in folders}


def _started(command: Sequence[str]) -> tuple[str, str]:
    """What the interpreter was asked to run: ("-m", module), ("-c", code), ("script", path), or ("", "")."""
    words = iter(command[1:])
    for word in words:
        if word == "--check-hash-based-pycs":
            next(words, "")
        elif word == "-":
            return "", ""
        elif not word.startswith("-"):
            return "script", word
        elif not word.startswith("--"):
            for place, letter in enumerate(word[1:], start=2):
                if letter in "cmWX":
                    value = word[place:] or next(words, "")
                    if letter in "cm":
                        return f"-{letter}", value
                    break
    return "", ""
