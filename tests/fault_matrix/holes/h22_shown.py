"""Text that hides from the approver what is approved: escapes, overwriting, bidirectional marks, length."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.forked import on_a_terminal
from tests.fault_matrix.hole import Hole, Outcome, Trial, Variant
from tests.fault_matrix.scene import attempted, scene_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.harness import Harness, Path
    from tests.fault_matrix.scene import Scene

_DANGER = "rm -rf /"
_HIDDEN = {
    "erased by an escape sequence": f"ls {_DANGER}\x1b[2K\x1b[1G\x1b[1A",
    "overwritten after a carriage return": f"{_DANGER}\rls          ",
    "erased by backspaces": f"{_DANGER}{chr(8) * 8}ls      ",
    "the screen is cleared": f"{_DANGER}\x1b[2J\x1b[Hls",
    "written backwards": "ls \u202e/ fr- mr\u202c",
    "behind the window's title": f"ls\x1b]0;{_DANGER}\x07",
    "in invisible ink": f"ls\x1b[8m{_DANGER}\x1b[0m",
    "after many lines": "ls" + "\n" * 200 + _DANGER,
    "after 10,000 characters": "ls " + "x" * 10_000 + _DANGER,
}
_HARMLESS = "ls -l"
_ASKED = re.compile(r"(Approve this call\? yes / no|Please type yes, or no|-- [\d,]+ of [\d,]+ lines shown)[^\n]*: $")


def _seen(shown: str) -> str:
    """What a person makes out on the screen: control characters do what a terminal does, and are gone."""
    text = re.sub(r"\x1b\][^\x07]*\x07", "", shown)
    text = re.sub(r"\x1b\[8m[^\x1b]*\x1b\[0m", "", text)
    if "\x1b[2J" in text:
        text = text[text.rindex("\x1b[2J") :]
    rows = []
    for line in text.replace("\r\n", "\n").split("\n"):
        row = "" if "\x1b[2K" in line else line.rsplit("\r", 1)[-1]
        while "\b" in row:
            row = re.sub(r"[^\b]?\b", "", row, count=1)
        rows.append(row.strip())
    return "".join(rows)


class _Person:
    """Reads every page, and says yes to what shows no danger. A text in another direction is read as it is shown."""

    def __init__(self) -> None:
        self._read = ""

    def __call__(self, shown: str) -> str:
        if not _ASKED.search(shown):
            return ""
        self._read += _seen(shown)
        if "lines shown" in _ASKED.search(shown).group():  # type: ignore[union-attr]  # it was found above
            return "\n"
        read, self._read = self._read, ""
        plainly = read.replace(" ", "")
        alarming = _DANGER.replace(" ", "") in plainly or "\\u202e" in read.lower() or "u+202e" in read.lower()
        return "no\n" if alarming else "yes\n"


def _shell(scene: Scene) -> list[Tool]:
    ran = scene.folder / "ran"

    def body(command: str) -> str:
        """Run a command."""
        with ran.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(command)}\n")
        return "did it"

    return [Tool(name="shell", body=body)]


_ATTEMPT = Variant(
    name="all of them",
    tools=_shell,
    turns=[[Call(tool="shell", arguments={"command": command})] for command in (_HARMLESS, *_HIDDEN.values())],
    gate={"require_approval": ["shell"], "on_block": "return_message", "max_refusals": 1_000},
    sections={"approvals": {"local": True, "timeout": "50s"}},
)


def _run(harness: Harness, path: Path) -> Outcome:
    """A person is asked about each; the control is a harmless command, to which the same person says yes."""
    harness.load()
    with scene_of(harness, gated=True) as scene:
        shown = on_a_terminal(lambda: attempted(scene, _ATTEMPT, harness.usual(path)), _Person())
        file = scene.folder / "ran"
        ran = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    if _HARMLESS not in ran:
        return Outcome(calls=0, error=f"the control proves nothing: a harmless command did not run: {shown[-300:]!r}")
    asked = shown.count("is asked for")
    error = "" if asked > len(_HIDDEN) else f"only {asked} questions were asked: {shown[-300:]!r}"
    return Outcome(calls=len(_HIDDEN), bodies_run=sum(command != _HARMLESS for command in ran), error=error)


def _trials(harness: Harness, path: Path) -> Sequence[Trial] | str:
    return harness.lacks("fork", path) or [Trial(name="all of them", run=lambda: _run(harness, path))]


HOLE = Hole(number=22, title="text hides from the approver what is approved", trials=_trials)
