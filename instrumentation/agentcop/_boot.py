"""Arms this Python process by its environment alone: `AGENTCOP_ENABLED=1`, and no line of the program is changed.

Runs at the start of every interpreter that has the variable (`agentcop.pth` calls `arm`), so it loads next to nothing:
the policy, OpenTelemetry and the adapters come with the first framework that the program imports.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` costs more than all of this file
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from typing import NoReturn

EXIT = 78
"""EX_CONFIG of sysexits.h: the environment asks for a gate that cannot be had, so the program does not run."""

ENABLED = "AGENTCOP_ENABLED"
POLICY = "AGENTCOP_POLICY"
HOME = "AGENTCOP_HOME"

_ON = frozenset({"1", "true", "yes"})
_OFF = frozenset({"", "0"})


class _State:
    watching = False
    wrong = ""
    fixed: dict[str, str] = {}  # noqa: RUF012 -- replaced as a whole


def arm(environ: MutableMapping[str, str] = os.environ) -> None:
    """Arm this process if its environment says so. Idempotent; imports no framework, reads no file.

    Ends the process with `EXIT` and the reason where the environment cannot be obeyed; a tool that repairs one runs
    all the same, and is held to the environment by the first framework that it imports.
    """
    meaning = means(environ.get(ENABLED, ""))
    if _State.watching or meaning is False:
        return
    try:
        _watch(environ, sensible=meaning is not None)
    except BaseException as fault:  # whoever calls this at the start goes on after an exception
        stop([f"{type(fault).__name__}: {fault}"])


def means(value: str) -> bool | None:
    """What a value of `AGENTCOP_ENABLED` asks for: arm, or leave alone; None if it makes no sense."""
    word = value.strip().lower()
    return False if word in _OFF else True if word in _ON else None


def _watch(environ: MutableMapping[str, str], *, sensible: bool) -> None:
    from agentcop._arming.exempt import OWN, exempt_as

    exempt = exempt_as(sys.orig_argv)
    if not sensible:
        _State.wrong = (
            f"{ENABLED} is {environ[ENABLED]!r}: 1, true or yes arm the process, 0 or nothing leaves it alone"
        )
        if not exempt:
            stop([_State.wrong])
    _State.watching = True
    _State.fixed = absolute_paths(environ)
    if not exempt:
        environ.update(_State.fixed)
    from agentcop._arming.finder import put_in_place

    # Our own command makes cops for purposes of its own; the environment's policy is not about those.
    put_in_place(face=exempt != OWN)


def what_is_wrong() -> str:
    """Why the first framework must end this process: its environment makes no sense; "" if it does."""
    return _State.wrong


def absolute_paths(environ: Mapping[str, str]) -> dict[str, str]:
    """The policy file and the state folder as absolute paths, for this process and the children that inherit them.

    What cannot be resolved, or is not named, is left out: the first framework import says so, where it is needed.
    """
    from agentcop_core.home import absolute, state_path

    try:
        found = {HOME: state_path(environ)}
        if policy := environ.get(POLICY):
            found[POLICY] = absolute(policy)
    except OSError:
        return {}
    return found


def fix(environ: MutableMapping[str, str] = os.environ) -> None:
    """Put back the paths that the process was started with: a `.env` file read since then must not loosen the gate."""
    environ.update(_State.fixed)


def say(line: str) -> None:
    """One line on stderr, past `sys.stderr`, which a program may have replaced or closed; never raises."""
    try:
        os.write(2, f"agentcop: {line}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return


def stop(reasons: list[str]) -> NoReturn:
    """End the process with `EXIT`, one line on stderr for each reason. No handler of the program can catch it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112 -- whatever a program put there must not keep it running
            continue
    for reason in reasons:
        say(reason)
    say(f"{ENABLED} is set and this process cannot be armed, so it ends here (exit {EXIT})")
    os._exit(EXIT)
