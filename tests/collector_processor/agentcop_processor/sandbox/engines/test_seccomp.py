"""The profile that container engines take says the same as the rules, in words that libseccomp gets right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.engines.seccomp import RULES, NoneOf, OneOf, docker_profile
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


def _let_through(name: str, value: int) -> bool:
    for entry in _entries(name):
        (condition,) = entry["args"]
        if condition["op"] == "SCMP_CMP_EQ":
            if value == condition["value"]:
                return True
        else:
            assert condition["op"] == "SCMP_CMP_MASKED_EQ"
            if value & condition["value"] == condition["valueTwo"]:
                return True
    return False


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
def test_a_condition_lets_through_what_its_rule_does(value: int) -> None:
    for name, rule in RULES.items():
        word = value & 0xFFFFFFFF
        if isinstance(rule, OneOf):
            assert _let_through(name, value) is (value in rule.values)
            assert all(_let_through(name, each) for each in rule.values)
        elif isinstance(rule, NoneOf):
            assert _let_through(name, value) is (word not in rule.values)
            for each in rule.values:
                assert not _let_through(name, value & 0xFFFFFFFF << 32 | each)
                assert _let_through(name, each + 1)
                assert _let_through(name, each - 1)
        else:
            assert _let_through(name, value) is (not word & rule.bits)


def test_an_entry_has_one_condition_as_engines_make_alternatives_of_several_on_one_argument() -> None:
    assert all(len(entry["args"]) == 1 for entry in PROFILE["syscalls"] if "args" in entry)
