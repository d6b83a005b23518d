"""The profile that container engines take says the same as the rules, in words that libseccomp gets right."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.engines.seccomp import RULES, NoneOf, OneOf, Rule, Without, docker_profile
from agentcop_processor.sandbox.engines.syscalls import ALLOWED, CHECKED

PROFILE = docker_profile()
OUTSIDE = [
    *("add_key", "bpf", "chroot", "clock_settime", "delete_module", "fanotify_init", "finit_module"),
    *("fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register"),
    *("io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie"),
    *("memfd_create", "mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at"),
    *("open_tree", "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise"),
    *("process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot", "request_key"),
    *("setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon", "syslog", "umount2"),
    *("unshare", "userfaultfd", "vhangup"),
]


def _entries(name: str) -> list[dict[str, Any]]:
    return [entry for entry in PROFILE["syscalls"] if name in entry["names"]]


def _let_through(name: str, arguments: dict[int, int]) -> bool:
    return any(all(_meets(condition, arguments) for condition in entry["args"]) for entry in _entries(name))


def _meets(condition: dict[str, Any], arguments: dict[int, int]) -> bool:
    value = arguments[condition["index"]]
    if condition["op"] == "SCMP_CMP_EQ":
        return bool(value == condition["value"])
    assert condition["op"] == "SCMP_CMP_MASKED_EQ"
    return bool(value & condition["value"] == condition["valueTwo"])


def test_what_is_not_named_is_refused() -> None:
    assert (PROFILE["defaultAction"], PROFILE["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
    assert json.loads(json.dumps(PROFILE)) == PROFILE


def test_clone3_is_unknown_so_that_libraries_fall_back() -> None:
    assert _entries("clone3") == [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]


def test_all_that_may_be_called_is_named_once() -> None:
    unconditional = [entry for entry in PROFILE["syscalls"] if "args" not in entry and entry["names"] != ["clone3"]]
    assert [entry["names"] for entry in unconditional] == [sorted(ALLOWED)]
    assert set(RULES) == set(CHECKED)
    assert not set(CHECKED) & set(ALLOWED)


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_reaches_out_of_a_box_is_in_no_list(name: str) -> None:
    assert name not in ALLOWED
    assert not _entries(name)


@given(st.integers(0, 2**64 - 1))
def test_conditions_let_through_what_the_rules_do(any_value: int) -> None:
    for name, rules in RULES.items():
        for values in product(*(_interesting(rule, any_value) for rule in rules)):
            arguments = {rule.argument: value for rule, value in zip(rules, values, strict=True)}
            holds = all(_holds(rule, arguments[rule.argument]) for rule in rules)
            assert _let_through(name, arguments) is holds, (name, arguments)


def test_no_entry_has_two_conditions_on_one_argument_as_engines_make_alternatives_of_those() -> None:
    for entry in PROFILE["syscalls"]:
        places = [condition["index"] for condition in entry.get("args", ())]
        assert len(places) == len(set(places))


def _holds(rule: Rule, value: int) -> bool:
    if isinstance(rule, OneOf):
        return value in rule.values
    if isinstance(rule, NoneOf):
        return value & 0xFFFFFFFF not in rule.values
    return not value & rule.bits


def _interesting(rule: Rule, any_value: int) -> set[int]:
    if isinstance(rule, Without):
        return {any_value, 0, rule.bits, any_value & ~rule.bits}
    near = {value + step for value in rule.values for step in (-1, 0, 1) if value + step >= 0}
    return {any_value, *near, *(value | any_value & 0xFFFFFFFF << 32 for value in near)}
