"""What an armed process does when the first framework is imported: reads its policy, and puts the adapters in place.

Everything here ends the process rather than let it run without the gate that its environment asks for.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from agentcop._arming.frameworks import UNGOVERNED
from agentcop._boot import ENABLED, POLICY, fix, say, stop, what_is_wrong
from agentcop.adapters import REGISTRY, ROOTS, install, installable, is_framework
from agentcop_core.errors import NotArmed, PolicyError, ScanRefused

if TYPE_CHECKING:
    from agentcop._cop import AgentCop


class _Process:
    lock = threading.Lock()
    cop: AgentCop | None = None
    ungoverned: frozenset[str] = frozenset()


def framework_imported(module: str) -> None:
    """Called when the import of `module` has run, by the thread that imports it. Ends the process on any fault."""
    try:
        if not is_framework(module):
            return
        _arm()
        if module in ROOTS:
            _check(module)
        if module in REGISTRY:
            _install(module)
        elif module in UNGOVERNED:
            _warn(UNGOVERNED[module])
    except BaseException as fault:
        stop(_reasons(module, fault))


def process_cop() -> AgentCop | None:
    """The cop that judges every call of this process; None before the first framework is imported."""
    return _Process.cop


def ungoverned_frameworks() -> frozenset[str]:
    """The frameworks of this process whose tool calls nobody judges, as users call them."""
    return _Process.ungoverned


def _arm() -> None:
    """Read the policy and make its cop the floor under all others. Once; blocks for a file read."""
    if process_cop() is not None:
        return
    # Before the lock: another thread may be importing this very module, and then it waits for us in `_arm`.
    from agentcop._cop import AgentCop
    from agentcop_processor.judges import set_floor

    with _Process.lock:
        if process_cop() is not None:
            return
        fix()
        if wrong := what_is_wrong():
            raise NotArmed(wrong)
        path = os.environ.get(POLICY)
        if not path:
            raise PolicyError([f"{POLICY} is not set: {ENABLED} needs a policy file to judge by"])
        cop = AgentCop(policy_file=path)
        set_floor(cop._gate)  # noqa: SLF001 -- the same package; no program needs a cop's gate
        _Process.cop = cop
        observing = " (mode observe: nothing is stopped)" if cop.policy.document.mode == "observe" else ""
        say(f"armed: agent {cop.agent_id}, policy {path}{observing}, state folder {cop.gate_log.parent}")


def _check(root: str) -> None:
    """Raise NotArmed if a module that must be patched is not there to be imported: nobody would ever report it."""
    for name in [name for name in REGISTRY if name.startswith(f"{root}.")]:
        adapter = installable(name)
        if adapter is not None and name in adapter.needs and not _can_be_found(name):
            raise NotArmed(f"there is no {name} in this {root}: this build cannot see its tool calls")


def _can_be_found(name: str) -> bool:
    """Whether a module below an imported package exists. Imports nothing."""
    root, *below = name.split(".")
    path = getattr(sys.modules[root], "__path__", None)
    for part in below:
        root = f"{root}.{part}"
        spec = PathFinder.find_spec(root, path)
        if spec is None:
            return root in sys.modules
        path = spec.submodule_search_locations
    return True


def _install(module: str) -> None:
    if (adapter := installable(module)) is not None:
        install(adapter)


def _warn(framework: str) -> None:
    with _Process.lock:
        if framework in _Process.ungoverned:
            return
        _Process.ungoverned |= {framework}
    say(f"WARNING: {framework} is imported and this build has no adapter for it: NOBODY JUDGES ITS OWN TOOL CALLS")


def _reasons(module: str, fault: BaseException) -> list[str]:
    if isinstance(fault, PolicyError):
        return list(fault.problems)
    if isinstance(fault, NotArmed) and str(fault) == what_is_wrong():
        return [str(fault)]
    if isinstance(fault, ScanRefused):
        return str(fault).splitlines()
    if isinstance(fault, OSError) and fault.strerror and fault.filename:
        return [f"{module} was imported and cannot be governed: {fault.filename}: {fault.strerror}"]
    return [f"{module} was imported and cannot be governed: {type(fault).__name__}: {fault}"]
