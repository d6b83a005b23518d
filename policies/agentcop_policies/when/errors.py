"""The CEL library's error texts, turned into one line for the author of a policy or one phrase for a verdict."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HELPER_FORMS = {
    "path.within": 'path.within(args.NAME, "FOLDER")',
    "url.host_in": 'url.host_in(args.NAME, ["HOST", …])',
    "shell.only": 'shell.only(args.NAME, ["PROGRAM", …])',
}
"""How each helper is written."""

HELPER_MARK = "agentcop helper: "
"""Begins the message of an exception that a helper raised on purpose; the rest may be shown."""

_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_OTHER_LANGUAGES = {"=": "==", "and": "&&", "or": "||", "not": "!"}
_UNEXPECTED = re.compile(r"(?:token recognition error at: |mismatched input |extraneous input )'\s*(\w+|=)\s*'")
_KINDS = (
    ("No matching overloads", "a value it reads has another type than it expects"),
    ("Non-CEL value", "a value it reads has a type that conditions do not know"),
    ("out of range", "a number it reads is out of range"),
    ("Iteration budget", "it takes too long"),
    ("divide by zero", "it divides by zero"),
    ("modulus by zero", "it divides by zero"),
    ("cannot convert", "a value it reads cannot be converted"),
    ("Key not found", "a key it reads is missing"),
    ("Timestamp", "the time of the call is out of range"),
)


def compile_message(error: str, text: str, names: Collection[str]) -> str:
    """One line: where in the expression, what is wrong, and what may have been meant."""
    found = _PLACE.search(error)
    if found is None:
        return "the condition cannot be compiled: " + " ".join(error.split())[:200]
    line, column, what = int(found[1]), int(found[2]), found[3]
    place = f"line {line}, column {column}" if line > 1 else f"column {column}"
    undeclared = _UNDECLARED.search(what)
    if undeclared is not None:
        return f"{place}: {_undeclared(undeclared[1], _written_at(text, line, column), names)}"
    if "mismatched input '<EOF>'" in what:
        return f"{place}: the condition ends where something more is needed"
    what = what.partition(" expecting ")[0].replace("'<EOF>'", "the end")
    unexpected = _UNEXPECTED.search(what)
    meant = _OTHER_LANGUAGES.get(unexpected[1]) if unexpected is not None else None
    return f"{place}: {what[:200]}" + (f"; did you mean `{meant}`?" if meant else "")


def _written_at(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    if line > len(lines):
        return ""
    found = _DOTTED.match(lines[line - 1], column - 1)
    return found[0] if found is not None else ""


def _undeclared(name: str, written: str, names: Collection[str]) -> str:
    if written in HELPER_FORMS:
        return f"{written} is used as {HELPER_FORMS[written]}"
    shown = written if "." in written and any(helper.startswith(name + ".") for helper in HELPER_FORMS) else name
    close = difflib.get_close_matches(shown, names, n=1)
    return f'unknown name "{shown}"' + (f'; did you mean "{close[0]}"?' if close else "")


def evaluation_reason(error: str, missing: Sequence[str] = ()) -> str:
    """One phrase that says why an evaluation failed. Holds names written in the policy, never values.

    `missing`: top-level arguments that the condition reads and the call does not have.
    """
    _, marked, phrase = error.partition(": " + HELPER_MARK)
    if marked:
        return phrase
    if "Key not found" in error and missing:
        return f'the call has no argument "{missing[0]}"'
    return next((phrase for sign, phrase in _KINDS if sign in error), "its evaluation failed")
