"""Collecting everything that is wrong with a policy, so that it is said all at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agentcop_core.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcop_policies.reading.tree import Mark

_SHOWN = 60


class Problems:
    """Problems and warnings of one load, in the order in which files were entered, and of lines in each."""

    def __init__(self) -> None:
        """Empty."""
        self._files: dict[str, int] = {}
        self._wrong: dict[tuple[Mark, str], None] = {}
        self._worth_knowing: dict[tuple[Mark, str], None] = {}

    def enter(self, file: str) -> None:
        """Marks of `file` may follow."""
        self._files.setdefault(file, len(self._files))

    def add(self, mark: Mark, text: str) -> None:
        """The policy cannot be loaded because of `text` at `mark`."""
        self._wrong[mark, text] = None

    def warn(self, mark: Mark, text: str) -> None:
        """The policy holds, and a person should know `text`."""
        self._worth_knowing[mark, text] = None

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._wrong)

    @property
    def lines(self) -> tuple[str, ...]:
        """One line a problem."""
        return self._lines(self._wrong)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line a warning."""
        return self._lines(self._worth_knowing)

    def stop_if_any(self) -> None:
        """Raise PolicyError with every problem, if there is one."""
        if self._wrong:
            raise PolicyError(self.lines)

    def _lines(self, found: Iterable[tuple[Mark, str]]) -> tuple[str, ...]:
        last = len(self._files)
        ordered = sorted(found, key=lambda item: (self._files.get(item[0].file, last), item[0].line, item[0].column))
        return tuple(f"{mark}{'' if mark.line else ':'} {text}" for mark, text in ordered)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "block"?` if one known word is close, else nothing."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def quoted(text: str) -> str:
    """The text in double quotes on one line, cut where it is long."""
    return json.dumps(text if len(text) <= _SHOWN else text[:_SHOWN] + "…", ensure_ascii=not text.isprintable())


def got(value: object) -> str:
    """What stands there, for "expected …, got …"."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else type(value).__name__
