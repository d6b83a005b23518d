"""The state folder: where agents, their children and the detector of one machine meet."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # an armed interpreter asks for this at its start: `typing` and `pathlib` would cost more than it
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`AGENTCOP_HOME`, else `$XDG_STATE_HOME/agentcop`, else `~/.local/state/agentcop`; absolute, not created.

    Never the working directory: processes started from different places must meet in one folder. Raises OSError where
    a home folder is needed and the user has none.
    """
    from pathlib import Path

    return Path(state_path(environ))


def state_path(environ: Mapping[str, str]) -> str:
    """`state_folder` as text."""
    if chosen := environ.get("AGENTCOP_HOME"):
        return absolute(chosen)
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return absolute(base) + "/agentcop"


def absolute(path: str) -> str:
    """`path` from the root, a leading `~` resolved, links and `..` left as they are. Raises OSError without a home."""
    expanded = os.path.expanduser(path)  # noqa: PTH111 -- see TYPE_CHECKING above
    if expanded.startswith("~"):
        raise FileNotFoundError(f"no home folder for {path}: set AGENTCOP_HOME to a folder of its own")
    return expanded if expanded.startswith(os.sep) else f"{os.getcwd()}/{expanded}"  # noqa: PTH109 -- as above


def make_private(folder: Path) -> None:
    """Make `folder` and what is missing above it, each for its owner alone (0700). Raises OSError."""
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for each in reversed(missing):  # `parents=True` would make those above open to all
        each.mkdir(mode=0o700, exist_ok=True)


def ensure_state_folder(folder: Path) -> Path:
    """Create `folder` for its owner alone (0700) if it is missing, and prove it can be written.

    Raises OSError where it cannot: the gate must not start without a place for its log.
    """
    # A name that nobody can foresee and put a link in the place of, or use at the same time.
    probe = folder / f".write-test-{os.urandom(8).hex()}"
    try:
        make_private(folder)
        with probe.open("xb"):
            pass
        probe.unlink(missing_ok=True)
    except OSError as error:
        words = f"no gate.log can be written in the state folder ({error.strerror}); set AGENTCOP_HOME to another"
        raise OSError(error.errno, words, str(folder)) from error
    return folder
