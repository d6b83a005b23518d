"""The program lets through what the list has, and nothing else, whatever number and arguments a call comes with."""

from __future__ import annotations

import struct
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.engines.seccomp import RULES, NoneOf, OneOf, Without
from agentcop_processor.sandbox.engines.seccomp_bpf import ALLOW, KILL, REFUSE, UNKNOWN, bpf
from agentcop_processor.sandbox.engines.syscalls import ALLOWED, CHECKED, CLONE3, NEWEST, UNCOUNTED, Machine
from seccomp_machine import AARCH64, I386, X86_64, answer

MACHINES: dict[Machine, int] = {"x86_64": X86_64, "aarch64": AARCH64}
WORDS = st.integers(0, 2**64 - 1)
each_machine = pytest.mark.parametrize("machine", MACHINES)


@each_machine
def test_every_number_gets_the_answer_of_the_list(machine: Machine) -> None:
    allowed = {numbers[machine] for name, numbers in ALLOWED.items() if machine in numbers and name not in UNCOUNTED}
    checked = {numbers[machine] for numbers in CHECKED.values()}
    program = bpf(machine)
    for number in range(NEWEST + 200):
        got = answer(program, MACHINES[machine], number)
        if number in checked:
            assert got in {ALLOW, REFUSE}, number
        elif number == CLONE3 or number > NEWEST:
            assert got == UNKNOWN, number
        else:
            assert got == (ALLOW if number in allowed else REFUSE), number


@each_machine
@pytest.mark.parametrize("number", [0x40000000, 0x40000001, 0x40000000 + 435, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_number_of_x32_ends_the_process(machine: Machine, number: int) -> None:
    assert answer(bpf(machine), MACHINES[machine], number) == KILL


@each_machine
@given(number=st.integers(0, 2**32 - 1))
def test_any_number_of_another_machine_ends_the_process(machine: Machine, number: int) -> None:
    for other in {X86_64, AARCH64, I386} - {MACHINES[machine]}:
        assert answer(bpf(machine), other, number) == KILL


@each_machine
@given(arguments=st.lists(WORDS, min_size=6, max_size=6))
def test_checked_calls_are_let_through_by_their_rules_alone(machine: Machine, arguments: list[int]) -> None:
    for name, rules in RULES.items():
        choices = [_interesting(rule, arguments[rule.argument]) for rule in rules]
        for values in product(*choices):
            given = [*arguments]
            for rule, value in zip(rules, values, strict=True):
                given[rule.argument] = value
            holds = all(_holds(rule, value) for rule, value in zip(rules, values, strict=True))
            got = answer(bpf(machine), MACHINES[machine], CHECKED[name][machine], *given)
            assert got == (ALLOW if holds else REFUSE), (name, values)


@each_machine
@pytest.mark.parametrize("high", [0, 1 << 32, 0xFFFFFFFF << 32])
def test_bits_that_the_kernel_ignores_do_not_hide_a_terminal_command(machine: Machine, high: int) -> None:
    for command in (0x5412, 0x541C):
        assert answer(bpf(machine), MACHINES[machine], CHECKED["ioctl"][machine], 0, high | command) == REFUSE


@each_machine
@pytest.mark.parametrize(
    "flag", [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000], ids=hex
)
def test_no_process_is_made_in_a_namespace_of_its_own(machine: Machine, flag: int) -> None:
    assert answer(bpf(machine), MACHINES[machine], CHECKED["clone"][machine], flag | 17) == REFUSE


@each_machine
def test_threads_and_processes_are_made(machine: Machine) -> None:
    thread, process = 0x003D0F00, 0x01200011
    for flags in (thread, process):
        assert answer(bpf(machine), MACHINES[machine], CHECKED["clone"][machine], flags) == ALLOW


@each_machine
def test_the_kernel_takes_the_program(machine: Machine) -> None:
    program = bpf(machine)
    code = list(struct.iter_unpack("=HBBI", program))
    assert len(code) < 4096
    for at, (operation, if_true, if_false, _) in enumerate(code):
        assert operation in {0x20, 0x54, 0x06, 0x15, 0x35}
        assert at + max(if_true, if_false) + 1 <= len(code)
    assert len(program) < 4096, "one page is what any pipe holds"


def test_a_machine_that_the_list_has_no_numbers_of_gets_no_box() -> None:
    with pytest.raises(EngineDown, match="not of riscv64"):
        bpf("riscv64")


def _holds(rule: OneOf | NoneOf | Without, value: int) -> bool:
    word = value & 0xFFFFFFFF
    if isinstance(rule, Without):
        return not word & rule.bits
    return (word in rule.values) is isinstance(rule, OneOf)


def _interesting(rule: OneOf | NoneOf | Without, any_value: int) -> set[int]:
    if isinstance(rule, Without):
        return {any_value, 0, rule.bits, any_value & ~rule.bits, *(1 << bit for bit in range(64))}
    near = {value + step for value in rule.values for step in (-1, 0, 1) if value + step >= 0}
    return {any_value, *near, *(value | any_value & 0xFFFFFFFF << 32 for value in near)}
