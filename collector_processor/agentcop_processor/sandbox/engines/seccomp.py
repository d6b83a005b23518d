"""Which arguments the checked system calls may have, and the whole list as the profile that container engines take.

`syscalls` has the list, and `seccomp_bpf` makes a program of the same for bubblewrap. No library does it: pyseccomp is
a ctypes layer of 2021 over a libseccomp that must be installed beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, assert_never

from agentcop_processor.sandbox.engines.syscalls import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD = 32  # bits of the arguments that are looked at: all of these are int in the kernel, or flags below bit 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """The argument must be one of these."""

    argument: int
    """Its place, from 0."""
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneOf:
    """The argument must be none of these."""

    argument: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The argument must have none of these bits."""

    argument: int
    bits: int


Rule = OneOf | NoneOf | Without

_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # put words into the terminal of whoever started the agent
_ASK, _USUAL = 0xFFFFFFFF, 0  # what personality is set now, and the one that every process has

_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET and AF_INET6, as Linux numbers them

EPERM: Final = 1
ENOSYS: Final = 38
"""As Linux numbers them: this may run where an engine is far away, and they are others."""

_ITSELF = OneOf(argument=0, values=(0,))
_OF_ONE_PROCESS, _IO_OF_ONE_PROCESS = OneOf(argument=0, values=(0,)), OneOf(argument=0, values=(1,))
_WHICH_IS_ITSELF = OneOf(argument=1, values=(0,))

RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "clone": (Without(argument=0, bits=_NAMESPACES),),
        "ioctl": (NoneOf(argument=1, values=(_TIOCSTI, _TIOCLINUX)),),
        "ioprio_set": (_IO_OF_ONE_PROCESS, _WHICH_IS_ITSELF),
        "personality": (OneOf(argument=0, values=(_USUAL, _ASK)),),
        "prlimit64": (_ITSELF,),
        "sched_setaffinity": (_ITSELF,),
        "sched_setattr": (_ITSELF,),
        "sched_setparam": (_ITSELF,),
        "sched_setscheduler": (_ITSELF,),
        "setpriority": (_OF_ONE_PROCESS, _WHICH_IS_ITSELF),
        "socket": (OneOf(argument=0, values=_FAMILIES),),
        "socketpair": (OneOf(argument=0, values=_FAMILIES[:1]),),
    }
)
"""By name, for each of `syscalls.CHECKED`: all of its rules must hold.

A process sets its own limits, priority and processors only: the supervisor is of the same user, and has to do its work
meanwhile. Everything else is refused with EPERM, and `clone3` as unknown.
"""


def docker_profile() -> dict[str, Any]:
    """The profile for `security_opt`, as JSON has it; for Docker from 20.10 and Podman from 4.3, on any machine.

    Docker's API takes the JSON after `seccomp=`, Podman's the path of a file with it, on its own machine. It names no
    architecture: then it is the machine's own, and libseccomp kills what calls by another's conventions.
    """
    rules: list[dict[str, Any]] = [{"names": sorted(ALLOWED), "action": "SCMP_ACT_ALLOW"}]
    for name, all_of in RULES.items():
        met = product(*map(_conditions, all_of))
        rules += [{"names": [name], "action": "SCMP_ACT_ALLOW", "args": list(conditions)} for conditions in met]
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS})
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": EPERM, "syscalls": rules}


def _conditions(rule: Rule) -> list[dict[str, Any]]:
    """Of which one must hold: entries for one name are alternatives."""
    match rule:
        case OneOf():
            return [{"index": rule.argument, "op": "SCMP_CMP_EQ", "value": value} for value in rule.values]
        case Without():
            return [_masked(rule.argument, rule.bits, 0)]
        case NoneOf():
            return _differing(rule)
        case _:
            assert_never(rule)


def _differing(rule: NoneOf) -> list[dict[str, Any]]:
    """It is none of them if a bit that all of them have alike is another, or the other bits are as none has them.

    Comparing for less and greater would not do: engines compare 64 bits, of which the kernel then takes the lower 32.
    """
    first = rule.values[0]
    unlike = 0
    for value in rule.values:
        unlike |= first ^ value
    conditions = [_masked(rule.argument, 1 << bit, ~first & 1 << bit) for bit in range(_WORD) if not unlike & 1 << bit]
    taken = {value & unlike for value in rule.values}
    part = unlike
    while part:
        if part not in taken:
            conditions.append(_masked(rule.argument, unlike, part))
        part = (part - 1) & unlike
    if 0 not in taken:
        conditions.append(_masked(rule.argument, unlike, 0))
    return conditions


def _masked(argument: int, mask: int, value: int) -> dict[str, Any]:
    return {"index": argument, "op": "SCMP_CMP_MASKED_EQ", "value": mask, "valueTwo": value}
