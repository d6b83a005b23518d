"""The probes in a process that is armed by its environment alone, as any program of this environment would be."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import agentcop
from agentcop._boot import ENABLED, EXIT, HOME, POLICY
from agentcop.cli.doctor.probes.canary import PLAIN, Seam
from agentcop.cli.doctor.probes.here import QUIET, SILENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agentcop.cli.doctor.probes.frameworks import Framework

_SECONDS: Final = 300
_SHOWN: Final = 500

# Whether it is armed is asked before our package is imported, which would arm it.
_PROGRAM: Final = """
import json, sys
armed = "agentcop._arming.finder" in sys.modules
import agentcop
if str(agentcop.__file__) == sys.argv[2]:
    from agentcop.cli.doctor.probes.child import report
    said = report(sys.argv[3:])
else:
    said = []
ours = {name: str(module.__file__) for name, module in sys.modules.items() if name.startswith("agentcop")}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({"armed": armed, "ours": ours, "seams": said}, file)
"""


def probe_child(policy: Path, folder: Path, frameworks: Sequence[Framework], environ: Mapping[str, str]) -> list[Seam]:
    """Start this Python with `AGENTCOP_ENABLED=1` and `policy`, and tell what became of the canary there.

    Blocks as long as the frameworks take to be imported, at most some minutes. Never raises.
    """
    answer = folder / "child.json"
    environment = {name: value for name, value in environ.items() if name not in SILENT}
    environment |= {**QUIET, ENABLED: "1", POLICY: str(policy), HOME: str(folder / "child")}
    command = [sys.executable, "-c", _PROGRAM, str(answer), str(agentcop.__file__), *(each.name for each in frameworks)]
    try:
        done = subprocess.run(  # noqa: S603 -- this interpreter and a program of ours
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        said = json.loads(answer.read_text(encoding="utf-8"))
    except subprocess.TimeoutExpired:
        return _none(f"it gave no answer within {_SECONDS} s", frameworks)
    except FileNotFoundError:
        return _none(_how_it_ended(done), frameworks)
    except (OSError, ValueError) as error:
        return _none(f"{type(error).__name__}: {error}", frameworks)
    return _read(said, frameworks)


def report(names: Sequence[str]) -> list[dict[str, Any]]:
    """In the child: the canary in each seam of plain Python and of these frameworks; empty if there is no cop here."""
    import agentcop._cop  # noqa: F401 -- the import arms, as that of a framework does
    from agentcop._arming.process import process_cop
    from agentcop.cli.doctor.probes.canary import probe
    from agentcop.cli.doctor.probes.frameworks import frameworks

    cop = process_cop()
    if cop is None:
        return []
    return [seam.plain() for seam in probe(cop, [each for each in frameworks() if each.name in names], "child")]


def _read(said: dict[str, Any], frameworks: Sequence[Framework]) -> list[Seam]:
    for name, place in said["ours"].items():
        if place != _place(name):
            return _none(f"it imports another {name}, from {place}", frameworks)
    seams = [Seam(**seam) for seam in said["seams"]]
    if not seams:
        return _none("AGENTCOP_ENABLED=1 does not arm it", frameworks)
    if not said["armed"]:
        why = "it is armed only once it imports agentcop: agentcop.pth is not run here"
        return [replace(seam, state="BYPASSED", reason=why) for seam in seams]
    return seams


def _place(module: str) -> str:
    """The file that the doctor's own process has this module from."""
    spec = find_spec(module)
    return str(spec.origin) if spec is not None else ""


def _none(why: str, frameworks: Sequence[Framework]) -> list[Seam]:
    """Nothing is known to be governed in the child."""
    names = [(PLAIN, ""), *((each.name, each.release) for each in frameworks)]
    return [
        Seam(framework=name, release=release, process="child", state="NOT GOVERNED", reason=why)
        for name, release in names
    ]


def _how_it_ended(done: subprocess.CompletedProcess[str]) -> str:
    """What a child said before it ended without an answer: the reasons of an exit 78, else its last line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode == EXIT:
        reasons = [line.removeprefix("agentcop: ") for line in lines if line.startswith("agentcop: ")]
        return f"it ended with {EXIT}: {'; '.join(reasons[:-1] or reasons)}"[:_SHOWN]
    return f"it ended with {done.returncode}: {lines[-1] if lines else 'without a word'}"[:_SHOWN]
