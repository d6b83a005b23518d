"""Programs that run other programs named in their arguments, and how `shell.only` sees through them.

A launcher is understood only in its plainest forms; every other form raises CannotJudgeError. A transparent launcher
(`env`, `timeout`, `bash -c` …) need not be listed, because what it starts must be; `sudo`, `doas`, `busybox` and `find`
add something of their own, so they must be listed too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_policies.when.cannot import CannotJudgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHELL_STATE = frozenset(
    {
        ".", "alias", "bind", "caller", "compgen", "complete", "coproc", "declare", "enable", "eval", "export", "fc",
        "function", "getopts", "hash", "history", "let", "local", "mapfile", "parallel", "read", "readarray",
        "readonly", "select", "set", "shopt", "source", "trap", "typeset", "unalias", "unset", "watch",
    }
)  # fmt: skip
"""Words that run their arguments as shell, or change what later names mean: never judged, whoever lists them."""

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_SHELL_PATHS = frozenset({"/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash"})
_DURATION = re.compile(r"[0-9]+(\.[0-9]+)?[smhd]?")
_NUMBER = re.compile(r"-?[0-9]+")
_XARGS_FLAGS = frozenset({"-0", "-r", "-t", "--null", "--no-run-if-empty"})
_XARGS_VALUES = {"-n": _NUMBER, "-P": _NUMBER, "-L": _NUMBER, "-I": re.compile(r"\{\}")}
_FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One word of a command."""

    text: str | None
    """What the program receives; None if that depends on variables, files or other commands."""
    plain: bool
    """Written without quotes, escapes or expansions: fit to be a program's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """What one command starts besides itself."""

    transparent: bool = False
    """The command itself does nothing but start the others."""
    commands: Sequence[list[Argument]] = ()
    lines: Sequence[str] = ()
    """Texts that a shell will read."""


def launched(words: list[Argument]) -> Launched:
    """What `words` (the program's name first) starts. Raises CannotJudgeError for a form that is not understood."""
    name, rest = words[0].text or "", words[1:]
    base = name.rpartition("/")[2]
    understood = _shell if base in _SHELLS else _LAUNCHERS.get(base)
    if understood is None:
        return Launched()
    found = understood(rest)
    # /tmp/env is not env: what is named by a path must be listed, whatever it launches.
    known = name == base or name in _SHELL_PATHS
    return found if known else Launched(commands=found.commands, lines=found.lines)


def _shell(rest: list[Argument]) -> Launched:
    if len(rest) < 2 or rest[0].text != "-c" or rest[1].text is None:  # noqa: PLR2004 -- -c and its text
        raise CannotJudgeError("the command starts a shell other than with -c and a literal text")
    return Launched(transparent=True, lines=(rest[1].text,))


def _plainly(rest: list[Argument]) -> Launched:
    if not rest:
        raise CannotJudgeError("the command starts a launcher with nothing to launch")
    if not rest[0].plain or (rest[0].text or "-").startswith("-"):
        raise CannotJudgeError("the command starts a launcher with options that are not understood")
    return Launched(transparent=True, commands=(rest,))


def _listed(rest: list[Argument]) -> Launched:
    return Launched(commands=_plainly(rest).commands)


def _timeout(rest: list[Argument]) -> Launched:
    if not rest or _DURATION.fullmatch(rest[0].text or "") is None:
        raise CannotJudgeError("the command uses timeout with options that are not understood")
    return _plainly(rest[1:])


def _nice(rest: list[Argument]) -> Launched:
    if len(rest) > 1 and rest[0].text == "-n" and _NUMBER.fullmatch(rest[1].text or ""):
        rest = rest[2:]
    return _plainly(rest)


def _xargs(rest: list[Argument]) -> Launched:
    while rest:
        option = rest[0].text
        if option in _XARGS_FLAGS:
            rest = rest[1:]
        elif option in _XARGS_VALUES and len(rest) > 1 and _XARGS_VALUES[option].fullmatch(rest[1].text or ""):
            rest = rest[2:]
        else:
            break
    step = _plainly(rest)
    _refuse_launchers(rest[0], "xargs")
    return step


def _find(rest: list[Argument]) -> Launched:
    if any(word.text is None for word in rest):
        raise CannotJudgeError("the command gives find a word that is not literal")
    commands = []
    for index, word in enumerate(rest):
        if word.text not in _FIND_RUNS:
            continue
        inner = []
        for further in rest[index + 1 :]:
            if further.text in (";", "+"):
                break
            inner.append(further)
        if not inner:
            raise CannotJudgeError("the command's find runs nothing that can be named")
        _refuse_launchers(inner[0], "find")
        commands.append(inner)
    return Launched(commands=commands)


def _refuse_launchers(program: Argument, by: str) -> None:
    """Words from outside are added to what `by` starts: a launcher would take them for programs."""
    base = (program.text or "").rpartition("/")[2]
    if base in _SHELLS or base in _LAUNCHERS:
        raise CannotJudgeError(f"the command's {by} starts a launcher")


_LAUNCHERS: dict[str, Callable[[list[Argument]], Launched]] = {
    "builtin": _plainly,
    "busybox": _listed,
    "command": _plainly,
    "doas": _listed,
    "env": _plainly,
    "exec": _plainly,
    "find": _find,
    "nice": _nice,
    "nohup": _plainly,
    "setsid": _plainly,
    "sudo": _listed,
    "time": _plainly,
    "timeout": _timeout,
    "toybox": _listed,
    "xargs": _xargs,
}
