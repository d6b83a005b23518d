"""The list of system calls as a classic BPF program, which bubblewrap has the kernel run before each of them."""

from __future__ import annotations

import struct
from functools import cache
from typing import Final, assert_never, cast, get_args

from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.engines.seccomp import ENOSYS, EPERM, RULES, NoneOf, OneOf, Rule, Without
from agentcop_processor.sandbox.engines.syscalls import ALLOWED, CHECKED, CLONE3, NEWEST, UNCOUNTED, Machine

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
"""Ends the process: what calls by another machine's numbers is no program that was written for this one."""
REFUSE: Final = 0x00050000 | EPERM
UNKNOWN: Final = 0x00050000 | ENOSYS

_AUDIT: dict[Machine, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # how the kernel names a machine
_X32 = 0x40000000  # from here on a number is of x32, a second way into the same kernel with other rules

# Of `struct seccomp_data`: where the number, the machine and the lower half of the first argument lie.
_NUMBER, _MACHINE, _ARGUMENTS, _ARGUMENT = 0, 4, 16, 8
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06  # BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K
_IF_EQUAL, _IF_AT_LEAST = 0x15, 0x35  # BPF_JMP|JEQ|K, BPF_JMP|JGE|K

_Instruction = tuple[int, int, int, int]
"""Code, instructions to skip if true, if false, operand."""
_Code = list[_Instruction]


def bpf(machine: str) -> bytes:
    """The program for a machine, as `platform.machine()` names it. Raises EngineDown where there is none for it."""
    if machine not in get_args(Machine):
        raise EngineDown(f"process mode knows the system calls of {', '.join(get_args(Machine))}, not of {machine}")
    return _bytes(cast("Machine", machine))


@cache
def _bytes(machine: Machine) -> bytes:
    code: _Code = [
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 1, 0, _AUDIT[machine]),
        _returning(KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_search(_ranges(machine)),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _ranges(machine: Machine) -> list[tuple[int, _Code]]:
    """What is done from each number on to the next: neighbours differ."""
    done: dict[int, _Code] = {number: [_returning(REFUSE)] for number in range(NEWEST + 1)}
    for name, numbers in ALLOWED.items():
        if machine in numbers and name not in UNCOUNTED:
            done[numbers[machine]] = [_returning(ALLOW)]
    for name, numbers in CHECKED.items():
        done[numbers[machine]] = _checked(RULES[name])
    done[CLONE3] = [_returning(UNKNOWN)]
    done[NEWEST + 1] = [_returning(UNKNOWN)]
    done[_X32] = [_returning(KILL)]
    ranges: list[tuple[int, _Code]] = []
    for number, code in sorted(done.items()):
        if not ranges or ranges[-1][1] != code:
            ranges.append((number, code))
    return ranges


def _search(ranges: list[tuple[int, _Code]]) -> _Code:
    """Halves the ranges until one is left: seven comparisons a call, where a list would need a hundred."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below = _search(ranges[:middle])
    return [(_IF_AT_LEAST, len(below), 0, ranges[middle][0]), *below, *_search(ranges[middle:])]


def _checked(rules: tuple[Rule, ...]) -> _Code:
    return [*(instruction for rule in rules for instruction in _required(rule)), _returning(ALLOW)]


def _required(rule: Rule) -> _Code:
    """Refuses where it does not hold, and goes on behind itself where it does."""
    load = (_LOAD, 0, 0, _ARGUMENTS + _ARGUMENT * rule.argument)
    match rule:
        case OneOf():
            left = range(len(rule.values), 0, -1)  # behind each comparison: the others, and the refusal
            compared = [(_IF_EQUAL, behind, 0, value) for behind, value in zip(left, rule.values, strict=True)]
            return [load, *compared, _returning(REFUSE)]
        case NoneOf():
            refused = ((_IF_EQUAL, 0, 1, value) for value in rule.values)
            return [load, *(instruction for compared in refused for instruction in (compared, _returning(REFUSE)))]
        case Without():
            return [load, (_AND, 0, 0, rule.bits), (_IF_EQUAL, 1, 0, 0), _returning(REFUSE)]
        case _:
            assert_never(rule)


def _returning(action: int) -> _Instruction:
    return (_RETURN, 0, 0, action)
