"""The world changes between the verdict and the body: a symlink is swapped."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole

from agentcop_processor.gatelog import GateLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fault_matrix.attempt import Ran
    from tests.fault_matrix.scene import Scene

_WITHIN = 'path.within(args.path, "./data")'


def _link(scene: Scene) -> Path:
    return scene.folder / "data" / "link"


@contextmanager
def _swapped(scene: Scene) -> Iterator[None]:
    """When the decision is written, which is after the verdict and before the body, the link leads elsewhere."""
    link = _link(scene)
    link.symlink_to(scene.folder / "data")
    write = GateLog.append

    def append(self: GateLog, line: Any, **kwargs: Any) -> object:
        if line["tool"] == "read_file":
            _point(link, scene.folder)
        return write(self, line, **kwargs)

    with patch.object(GateLog, "append", append):
        yield


def _point(link: Path, target: Path) -> None:
    """In one step, for runs side by side."""
    other = link.with_name(f"{threading.get_ident()}")
    other.symlink_to(target)
    other.replace(link)


def _reads(scene: Scene) -> list[Tool]:
    def body(path: str) -> str:
        """Read a file."""
        return scene.bodies.note("read_file", path=str(Path(path).resolve()), inside=str(scene.folder / "data"))

    return [Tool(name="read_file", body=body)]


def _calls(scene: Scene) -> Sequence[Sequence[Call]]:
    return [[Call(tool="read_file", arguments={"path": f"{_link(scene)}/notes.txt"})]]


def _is_outside(ran: Ran) -> bool:
    return not ran.arguments["path"].startswith(f"{ran.arguments['inside']}/")


HOLE = hole(
    21,
    "the world changes after the verdict",
    [
        Variant(
            name="a symlink is swapped under a rule with resolve",
            tools=_reads,
            turns=_calls,
            gate={"allow": [{"tool": "read_file", "when": _WITHIN, "resolve": True}]},
            # Without `resolve` the rule judges the moment of the verdict, and the swap works, as documented.
            permitting={"allow": [{"tool": "read_file", "when": _WITHIN}]},
            fault=_swapped,
            forbidden=_is_outside,
        ),
    ],
)
