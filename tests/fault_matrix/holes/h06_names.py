"""A tool under a name that is nearly an allowed one, or is a blocked one in other letters, or changes it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import BLOCKED, READ, SHADOW, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.fault_matrix.scene import Scene

_LIKE_SEARCH = (
    "Search", "SEARCH", "sea_rch", "sea-rch", "sea rch", "search_", "-search", "se\u0430rch", "s\u0435arch",
    "search()", "search\u2024", "searchsearch", "find",
)  # fmt: skip
"""None of them is `search`: other case, separators, Cyrillic letters, or simply on no list."""
_SAME_AS_WIPE = (
    " wipe", "wipe ", "wipe\n", "\uff57\uff49\uff50\uff45", "w\u200bipe", "wipe\u2060", "\ufeffwipe", "wi\u00adpe",
    "\u202ewipe", "wipe\u00a0",
)  # fmt: skip
"""All of them are `wipe`: fullwidth, spaces around it, characters that nobody sees."""


def _named(names: Sequence[str]) -> Callable[[Scene], list[Tool]]:
    def tools(scene: Scene) -> list[Tool]:
        return [_tool(scene, name) for name in names]

    return tools


def _tool(scene: Scene, name: str) -> Tool:
    def body(query: str) -> str:
        """Do it."""
        return scene.bodies.note(name, query=query)

    return Tool(name=name, body=body)


def _each(names: Sequence[str]) -> list[list[Call]]:
    return [[Call(tool=name, arguments={"query": "x"}) for name in names]]


@contextmanager
def _renamed(scene: Scene) -> Iterator[None]:
    """The tool that is blocked calls itself by an allowed name, once it is wrapped."""

    def rename(tools: object) -> None:
        for tool in list(tools):  # type: ignore[call-overload]  # the harness's tool objects
            scene.harness.rename(tool, "search")

    scene.once_wrapped.append(rename)
    yield


_QUIET = {"on_block": "return_message", "max_refusals": 1_000}
HOLE = hole(
    6,
    "name variants",
    [
        Variant(
            name="nearly an allowed name",
            tools=_named(_LIKE_SEARCH),
            turns=_each(_LIKE_SEARCH),
            gate={"allow": ["search"], **_QUIET},
            permitting=None,
            at_least=len(_LIKE_SEARCH),
        ),
        Variant(
            name="no name at all",
            tools=_named(["<lambda>"]),
            turns=_each(["<lambda>"]),
            gate={"allow": ["search"], **_QUIET},
            needs=("odd names",),
        ),
        Variant(
            name="a blocked name in other letters",
            tools=_named(_SAME_AS_WIPE),
            turns=_each(_SAME_AS_WIPE),
            gate={"default": "allow", "block": ["wipe"], **_QUIET},
            permitting=None,
            at_least=len(_SAME_AS_WIPE),
        ),
        Variant(
            name="renamed once it is wrapped",
            tools=read_file,
            turns=[[Call(tool="search", arguments={"path": SHADOW})], *READ],  # by either name, as agents look it up
            gate={**BLOCKED, **_QUIET},
            fault=_renamed,
            needs=("renaming",),
        ),
    ],
)
