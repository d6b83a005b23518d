"""Programs in processes of their own, each run once for all the cells that it decides."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from tests.fault_matrix.hole import Outcome, Trial
from tests.fault_matrix.holes.reading import BLOCKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.harness import Harness
    from tests.fault_matrix.harness import Path as CallPath

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 170
_MODULE = "tests.fault_matrix.child"
_Found = dict[str, dict[str, tuple[int, str]]]
_RUN = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import agentcop, runpy; "
_RUN += f"sys.argv = [{_MODULE!r}, *sys.argv[1:]]; runpy.run_module({_MODULE!r}, run_name='__main__', alter_sys=True)"

CONTROL = "control"
_COMMANDS: dict[str, tuple[list[str], str]] = {
    CONTROL: ([sys.executable, "-m", _MODULE], "here"),
    "fork": ([sys.executable, "-m", _MODULE], "fork"),
    "spawn": ([sys.executable, "-m", _MODULE], "spawn"),
    "forkserver": ([sys.executable, "-m", _MODULE], "forkserver"),
    "subprocess": ([sys.executable, "-m", _MODULE], "subprocess"),
    "python -I": ([sys.executable, "-I", "-c", _RUN], "here"),
    "python -S": ([sys.executable, "-S", "-c", _RUN], "here"),
    "another interpreter, packages by PYTHONPATH": ([sys._base_executable, "-c", _RUN], "here"),  # type: ignore[attr-defined]  # noqa: SLF001 -- no public name
}


def trials_in(programs: Sequence[str], harness: Harness, path: CallPath) -> list[Trial]:
    """A trial for each program: the usual call by this path, there."""
    return [Trial(name=name, run=functools.partial(_outcome, name, harness, path)) for name in programs]


def _outcome(program: str, harness: Harness, path: CallPath) -> Outcome:
    ran, said = _found(CONTROL, harness.environment)[harness.name][path]
    if not ran:
        return Outcome(calls=0, error=f"the control proves nothing: unarmed, it did not run; {said[:300]}")
    ran, said = _found(program, harness.environment)[harness.name][path]
    return Outcome(calls=1, bodies_run=ran, error="" if "Blocked" in said else f"nothing was attempted: {said[:300]}")


@functools.cache
def _found(program: str, environment: str) -> _Found:
    """What ran in that program. Raises RuntimeError where it wrote nothing."""
    folder = Path(mkdtemp(prefix="child-", dir=os.environ["TMPDIR"]))
    (folder / "policy.yaml").write_text(
        json.dumps({"agent_id": "armed", "gate": {**BLOCKED, "allow": ["delegate"]}}), encoding="utf-8"
    )
    command, how = _COMMANDS[program]
    variables = dict(os.environ)
    if program != CONTROL:
        variables |= {"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": str(folder / "policy.yaml")}
    if command[0] != sys.executable or "-S" in command:
        variables["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    file = folder / "found.json"
    done = subprocess.run(
        [*command, how, environment, str(file)],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    if not file.exists():
        message = f"{program}: exit code {done.returncode}; {done.stderr[-600:]}"
        raise RuntimeError(message)
    found: _Found = json.loads(file.read_text(encoding="utf-8"))
    return found
