"""A project to ship from, in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from parcels import Project, importable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = tmp_path / "project"
    root.mkdir()
    with importable(root) as made:
        yield made


ARMED = "from agentcop import AgentCop, GatePolicy\ncop = AgentCop(agent_id='a', policy=GatePolicy(allow=['*']))\n"


@pytest.fixture
def armed(project: Project) -> Callable[[str], Any]:
    """From a text to the module of that text, with a cop in it; `TOOLS` are the functions that guards were given."""

    def load(text: str) -> Any:
        path = project.write("armed.py", text)
        tool = "TOOLS = []\ndef given(function):\n    TOOLS.append(function)\n    return cop.tool(function)\n"
        path.write_text(ARMED + tool + path.read_text())
        return project.load("armed")

    return load


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder
