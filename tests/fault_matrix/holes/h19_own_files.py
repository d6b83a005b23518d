"""A tool whose argument points at the policy, at gate.log, or at anything else in the state folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.scene import Scene

_QUIET = {"on_block": "return_message", "max_refusals": 1_000}


def _tools(scene: Scene) -> list[Tool]:
    def write(path: str) -> str:
        """Write a file."""
        return scene.bodies.note("write_file", path=path)

    def shell(command: str) -> str:
        """Run a command."""
        return scene.bodies.note("shell", command=command)

    return [Tool(name="write_file", body=write), Tool(name="shell", body=shell)]


def _places(scene: Scene) -> Sequence[Sequence[Call]]:
    home = Path(os.environ["AGENTCOP_HOME"])
    home.mkdir(exist_ok=True)
    link = scene.folder / "data" / "link"
    link.symlink_to(home)
    policy = scene.folder / "policy.yaml"
    near = scene.folder / "data" / "near"
    near.symlink_to(policy)
    places = [
        policy, f"{scene.folder}/data/../policy.yaml", f"{scene.folder}//policy.yaml", near, home, home / "gate.log",
        home / "spool", home / "new", f"{home}/../{home.name}/gate.log", link / "gate.log",
        os.path.relpath(home / "gate.log"), f"file://{policy}",
    ]  # fmt: skip
    return [[Call(tool="write_file", arguments={"path": str(place)}) for place in places]]


HOLE = hole(
    19,
    "a tool that is pointed at the policy, gate.log or the state folder",
    [
        Variant(
            name="paths",
            tools=_tools,
            turns=_places,
            gate={"default": "allow", **_QUIET},
            permitting=None,
            at_least=12,
        ),
    ],
)
