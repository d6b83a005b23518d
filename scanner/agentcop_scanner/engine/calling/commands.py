"""Programs that are started with a list of arguments: which of them text can choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.value import CONSTANT, Value, combined
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.engine.calling.callsite import CallSite
    from agentcop_scanner.engine.flow.frame import Frame

_LISTS = words(
    "subprocess.run subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output pty.spawn"
    " anyio.run_process anyio.open_process trio.run_process psutil.Popen"
)
_SPREAD = words(
    "asyncio.create_subprocess_exec asyncio.subprocess.create_subprocess_exec os.execl os.execlp os.execle os.execlpe"
)
_PLACED = words("os.execv os.execvp os.execve os.execvpe os.spawnv os.spawnvp os.posix_spawn")
NAMES = _LISTS | _SPREAD | _PLACED
_SHELLS = words("sh bash zsh dash ksh fish cmd cmd.exe powershell pwsh powershell.exe busybox su ssh")
_PYTHONS = words("python python3 py pypy node ruby perl deno bun php Rscript osascript")
_RUN_TEXT = words("-c /c /C -Command -lc -e --eval -E -r -ic -command")
_ENDS = frozenset({"--"})


def look(frame: Frame, site: CallSite) -> None:
    """Notes what text can do in the arguments of a program that is started without a shell."""
    if site.dotted not in NAMES:
        return
    shell = site.keywords.get("shell")
    if shell is not None and shell.const is not False and shell.const != 0:
        return  # a shell's own rule looks at it
    if site.dotted in _SPREAD:
        given = tuple(site.args)
    elif site.dotted in _PLACED:
        at = 2 if site.dotted.startswith("os.spawn") else 1
        given = (site.argument(at) or CONSTANT).items or ()
    else:
        first = site.argument(0, "args") or CONSTANT
        if first.items is None:
            _whole(frame, site, first)
            return
        given = first.items
    if given:
        _listed(frame, site, given)


def _whole(frame: Frame, site: CallSite, value: Value) -> None:
    """A command whose parts are not known: whoever wrote it chose the program."""
    rule = frame.world.tables.rules.get("AC111" if value.is_a == "tokens" else "AC113")
    if rule is not None:
        frame.arrive(rule, site.node, site.shown, value)


def _listed(frame: Frame, site: CallSite, given: tuple[Value, ...]) -> None:
    tables = frame.world.tables.rules
    program = given[0]
    name = program.const.rpartition("/")[2] if isinstance(program.const, str) else ""
    if program.taints and "AC113" in tables:
        frame.arrive(tables["AC113"], site.node, site.shown, program)
    python = name in _PYTHONS or program.is_a == "=sys.executable"
    for at, value in enumerate(given[1:], 1):
        before = given[at - 1].const
        if isinstance(before, str) and before in _RUN_TEXT and (name in _SHELLS or python):
            rule = tables.get("AC102" if python else "AC111")
            if rule is not None:
                frame.arrive(rule, site.node, site.shown, value)
            return
    if python and len(given) > 1 and given[1].is_a == "written" and "AC105" in tables:
        frame.arrive(tables["AC105"], site.node, site.shown, given[1])
        return
    if name == "ssh" and "AC112" in tables:
        frame.arrive(tables["AC112"], site.node, site.shown, combined(given[2:]))
        return
    _arguments(frame, site, given)


def is_option(value: Value) -> bool:
    """Whether an argument is an option that waits for its value, and one that the program itself gives."""
    return value.is_constant and value.text.startswith("-") and "=" not in value.text


def _arguments(frame: Frame, site: CallSite, given: tuple[Value, ...]) -> None:
    """Arguments that may begin with a dash: those before `--`, unless something stands before the text in them."""
    rule = frame.world.tables.rules.get("AC113")
    if rule is None or len(given) < 2:  # noqa: PLR2004  # a program and an argument
        return
    for at, value in enumerate(given[1:], 1):
        if isinstance(value.const, str) and value.const in _ENDS:
            return
        if at > 1 and is_option(given[at - 1]):
            continue  # the value of an option is no option
        if value.is_a.startswith("pathlib"):
            continue
        for origin, taint in value.taints.items():
            if not taint.joined or value.is_a == "*":
                frame.hit(rule, site.node, site.shown, origin, taint)
