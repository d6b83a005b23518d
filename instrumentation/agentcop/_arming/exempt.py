"""Which processes start without being held to their environment: the tools that repair one, started as what they are.

They are spared its demands at the start only. A framework that is imported in one is governed as anywhere, so nothing
is won by standing in for such a tool, or for a module that it imports.
"""

from __future__ import annotations

import os
import sys
from _imp import extension_suffixes

TYPE_CHECKING = False  # see _boot
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OWN = "agentcop"
"""AgentCop's own command."""

_MODULES = frozenset({OWN, "ensurepip", "pip", "venv", "virtualenv"})
_SCRIPTS = (OWN, "pip", "virtualenv")
_OURS = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 -- pathlib costs too much here: the package


def exempt_as(command: Sequence[str]) -> str:
    """Which of these tools `sys.orig_argv` runs: AgentCop's own command, pip, a maker of virtual environments; or "".

    A script counts by its name only where this interpreter's commands stand, and a tool only if nothing in the working
    folder or on PYTHONPATH has its name: a program that calls itself `pip` is armed like any other.
    """
    kind, what, _ = started(command)
    if kind == "-m":
        return what if what in _MODULES and not _is_shadowed(what, beside_us=not sys.flags.safe_path) else ""
    if kind != "script":
        return ""
    folder, name = os.path.split(os.path.abspath(what))  # noqa: PTH100 -- pathlib costs too much here
    name = name.removesuffix(".exe").rstrip("0123456789.")
    known = name in _SCRIPTS and os.path.realpath(folder) in _command_folders()
    return name if known and not _is_shadowed(name, beside_us=False) else ""


def _is_shadowed(module: str, *, beside_us: bool) -> bool:
    """Whether something of the program's is imported in place of this module. Not all visible in `sys.path` yet.

    `beside_us`: the working folder is looked in too, as `-m` does.
    """
    folders = [""] if beside_us else []
    if not sys.flags.ignore_environment:
        path = os.environ.get("PYTHONPATH", "")
        folders += path.split(os.pathsep) if path else []
    suffixes = (".py", ".pyc", *extension_suffixes())
    for folder in folders:
        place = os.path.abspath(os.path.join(folder, module))  # noqa: PTH100, PTH118 -- as above
        if place == _OURS:
            return False
        if folder and os.path.isfile(folder):  # noqa: PTH113 -- as above; an archive: what it holds is not looked at
            return True
        files = (place, os.path.join(place, "__init__"))  # noqa: PTH118 -- as above
        if any(os.path.exists(file + suffix) for file in files for suffix in suffixes):  # noqa: PTH110 -- as above
            return True
    return False


def _command_folders() -> set[str]:
    site = sys.modules.get("site")
    user = getattr(site, "USER_BASE", None)
    folders = [os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin")]  # noqa: PTH118, PTH120 -- as above
    if user:
        folders.append(os.path.join(user, "bin"))  # noqa: PTH118 -- as above
    return {os.path.realpath(folder) for folder in folders}


def started(command: Sequence[str]) -> tuple[str, str, list[str]]:
    """What the interpreter was asked to run, and the options of its own before that.

    ("-m", module), ("-c", code), ("script", path), or ("", "") for a program on stdin or a session.
    """
    options: list[str] = []
    words = iter(command[1:])
    for word in words:
        if word == "--check-hash-based-pycs":
            options += [word, next(words, "")]
        elif word == "-":
            break
        elif not word.startswith("-"):
            return "script", word, options
        elif word.startswith("--"):
            options.append(word)
        else:
            kind, value = _short(word, words, options)
            if kind:
                return kind, value, options
    return "", "", options


def _short(word: str, words: Iterator[str], options: list[str]) -> tuple[str, str]:
    """Read one word of short options, as `-Im`; what it asks to be run, or ("", "")."""
    for place, letter in enumerate(word[1:], start=2):
        if letter in "cmWX":
            value = word[place:] or next(words, "")
            if letter in "cm":
                options += [word[: place - 1]] if place > 2 else []  # noqa: PLR2004 -- more than the dash before it
                return f"-{letter}", value
            options.append(word[:place] + value)
            return "", ""
    options.append(word)
    return "", ""
