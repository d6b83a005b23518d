"""The tools that most trials use, as an application would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call, Tool

if TYPE_CHECKING:
    from tests.fault_matrix.scene import Scene

SHADOW = "/etc/shadow"
BLOCKED = {"allow": ["search"], "block": ["read_file"]}
"""A gate under which `read_file` never runs."""
READ = ((Call(tool="read_file", arguments={"path": SHADOW}),),)
"""The model asks for it once."""


def read_file(scene: Scene) -> list[Tool]:
    """One tool that reads a file."""

    def body(path: str) -> str:
        """Read a file."""
        return scene.bodies.note("read_file", path=path)

    return [Tool(name="read_file", body=body)]


def search(scene: Scene) -> list[Tool]:
    """One tool that everybody may use."""

    def body(query: str) -> str:
        """Search."""
        return scene.bodies.note("search", query=query)

    return [Tool(name="search", body=body)]


def both(scene: Scene) -> list[Tool]:
    """Both of them."""
    return [*read_file(scene), *search(scene)]
