"""What runs in another process: the usual call by every path of every kind of agent, and a file that says what ran.

    python -m tests.fault_matrix.child HOW ENVIRONMENT FILE

HOW is `here`, or how this process makes one more that does the work: `fork`, `spawn`, `forkserver`, `subprocess`.
Whether it is armed is its environment's business; agents that nothing arms are wrapped as their program would, if
`AGENTCOP_POLICY` names a policy.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.adapters import HARNESSES
from tests.fault_matrix.attempt import Job
from tests.fault_matrix.forked import in_a_fork
from tests.fault_matrix.harness import PATHS
from tests.fault_matrix.holes.reading import READ, read_file
from tests.fault_matrix.kept import KEPT
from tests.fault_matrix.scene import scene_of

from agentcop import AgentCop

if TYPE_CHECKING:
    from tests.fault_matrix.harness import Harness
    from tests.fault_matrix.harness import Path as CallPath


def work(environment: str, file: str) -> None:
    """Try every path, and write how many bodies ran and what reached the caller, by agent and path."""
    logging.disable(logging.CRITICAL)
    found: dict[str, dict[str, tuple[int, str]]] = {}
    with KEPT:
        for harness in _of(environment):
            cop = _own_cop(harness)
            paths = [path for path in PATHS if not isinstance(harness.ways[path], str)]
            found[harness.name] = {path: _tried(harness, path, cop) for path in paths}
        Path(file).write_text(json.dumps(found), encoding="utf-8")


def _of(environment: str) -> list[Harness]:
    return [harness for harness in HARNESSES if harness.environment == environment]


def _own_cop(harness: Harness) -> AgentCop | None:
    policy = os.environ.get("AGENTCOP_POLICY")
    return AgentCop(policy_file=policy, scan=False) if policy and not harness.armed else None


def _tried(harness: Harness, path: CallPath, cop: AgentCop | None) -> tuple[int, str]:
    with scene_of(harness, gated=True) as scene:
        scene.cop = cop
        before = cop.counts() if cop is not None else {}
        try:
            harness.usual(path)(Job(tools=read_file(scene), turns=READ, govern=scene.govern))
        except Exception as error:
            return len(scene.bodies.ran), f"{type(error).__name__}: {error}"
        seen = cop is not None and cop.counts() != before
        return len(scene.bodies.ran), "Blocked, and swallowed" if seen else "nothing was raised"


def main() -> None:
    """As the module says."""
    how, environment, file = sys.argv[1:]
    if how == "here":
        work(environment, file)
    elif how == "fork":
        for harness in _of(environment):
            harness.load()
        in_a_fork(lambda: work(environment, file))
    elif how == "subprocess":
        subprocess.run([sys.executable, "-m", "tests.fault_matrix.child", "here", environment, file], check=True)
    else:
        make: Any = multiprocessing.get_context(how)
        made = make.Process(target=work, args=(environment, file))
        made.start()
        made.join()


if __name__ == "__main__":
    main()
