"""A tool's limits hold or the tool does not load: landlock is left out only where the kernel has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agentcop_processor.sandbox.inside import confine, memory

CONFINED = """
import resource, sys
from agentcop_processor.sandbox.inside.confine import confine
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
confine({"as": 1 << 40, "data": 1 << 39, "nproc": 1 << 20, "nofile": 64, "fsize": 1 << 20, "landlock": 0})
print([resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in ("NOFILE", "FSIZE", "CORE", "MEMLOCK")])
"""


def test_a_kernel_without_landlock_is_asked_for_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int | bytes, ...]] = []

    def syscall(*arguments: int | bytes) -> int:
        asked.append(arguments)
        return -1

    monkeypatch.setattr(confine, "_syscall", syscall)
    confine._landlock()  # noqa: SLF001 -- what confines a process of the tests would last
    assert asked == [(444, 0, 0, 1)]


@pytest.mark.parametrize(("fails", "named"), [(444, "create_ruleset"), (445, "add_rule"), (446, "restrict_self")])
def test_landlock_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch, fails: int, named: str) -> None:
    spare = Path("/dev/null").open("rb")  # noqa: SIM115 -- closed as the rule set it stands for

    def syscall(number: int, *arguments: int | bytes) -> int:
        if number == 444 and arguments == (0, 0, 1):
            return 7
        return -1 if number == fails else spare.fileno() if number == 444 else 0

    monkeypatch.setattr(confine, "_syscall", syscall)
    with spare, pytest.raises(OSError, match=named):
        confine._landlock()  # noqa: SLF001 -- as above


@pytest.mark.parametrize(("was", "becomes"), [(32, 32), (128, 64)])
def test_a_limit_is_what_is_asked_for_and_never_higher_than_it_was(was: int, becomes: int) -> None:
    ran = subprocess.run([sys.executable, "-c", CONFINED, str(was)], capture_output=True, text=True, check=True)
    assert ran.stdout == f"[({becomes}, {becomes}), (1048576, 1048576), (0, 0), (0, 0)]\n"


def test_names_of_mounts_are_read_as_the_kernel_writes_them() -> None:
    assert confine._unescaped(rb"/a\040b\134c\011") == b"/a b\\c\t"  # noqa: SLF001 -- no mount here has such a name


def test_memory_is_above_a_limit_or_not() -> None:
    assert memory.above(0)
    assert not memory.above(1 << 60)
