"""What `--fix` changes, as a diff to look at and a file to write."""

from __future__ import annotations

import ast
import difflib
import io
import os
import re
import shutil
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape
from agentcop_core.redact import Redactor
from agentcop_scanner.fixes import rewrites
from agentcop_scanner.fixes.source import Source, applied
from agentcop_scanner.fixes.texts import with_rules, without_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.fixes.source import Edit
    from agentcop_scanner.report import FileResult, Report

REWRITES: Final[dict[str, Callable[[Source, Finding], list[Edit]]]] = {
    "AC124": rewrites.extract_data,
    "AC134": rewrites.verify_tls,
    "AC135": rewrites.add_timeout,
    "AC161": rewrites.load_safely,
    "AC162": rewrites.load_weights_only,
    "AC163": rewrites.trust_no_remote_code,
}
"""Rule → the edits for one of its findings in a Python file."""

HIDDEN, BARE = "AC202", "AC301"
FIXABLE: Final = frozenset({*REWRITES, HIDDEN, BARE})
"""Rules that have a fix. Not each of their findings can be mended: where there is doubt, the file stays as it is."""

_LINE: Final = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file as it would be."""

    path: str
    rules: tuple[str, ...]
    """Whose findings are mended."""
    before: str
    after: str
    encoding: str

    @property
    def diff(self) -> str:
        """A unified diff for people: secrets masked, nothing in it drives a terminal."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), f"a/{self.path}", f"b/{self.path}", lineterm=""
        )
        shown = Redactor().redact_text("\n".join(lines))
        return "".join(f"{escape(line)}\n" for line in shown.split("\n"))

    def write(self) -> None:
        """Put the new text in the file's place, whole or not at all, with its mode. Raises OSError."""
        file = Path(self.path).resolve()
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            beside.write_bytes(self.after.encode(self.encoding))
            shutil.copymode(file, beside)
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)


def changes_for(report: Report) -> list[Change]:
    """What can be mended without doubt, file by file, in the report's order. Suppressed findings stay."""
    found = (_change(file) for file in report.files if any(one.finding.rule in FIXABLE for one in file.findings))
    return [change for change in found if change is not None]


def _change(file: FileResult) -> Change | None:
    findings = [one.finding for one in file.findings if one.status != "suppressed"]
    raw = _read(file.path)
    if raw is None:
        return None
    before, encoding = raw
    python = file.path.endswith((".py", ".pyi", ".pyw"))
    after, mended = _rewritten(before, findings) if python else (before, set())
    after, more = _retouched(after, findings) if not file.path.endswith(".ipynb") else (after, set())
    if after == before or (python and not _parses(after)):
        return None
    return Change(path=file.path, rules=tuple(sorted(mended | more)), before=before, after=after, encoding=encoding)


def _read(path: str) -> tuple[str, str] | None:
    """A file's text, its line ends as they are, and its encoding; None where it cannot be read as it was."""
    try:
        raw = Path(path).read_bytes()
        encoding = tokenize.detect_encoding(io.BytesIO(raw).readline)[0] if path.endswith(".py") else "utf-8"
        return raw.decode(encoding), encoding
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
        return None


def _rewritten(text: str, findings: Sequence[Finding]) -> tuple[str, set[str]]:
    tree = _tree(text)
    if tree is None:
        return text, set()
    source = Source(text, tree)
    edits: list[Edit] = []
    mended: set[str] = set()
    meant = {one.place.line + below for one in findings if one.rule == BARE for below in (0, 1)}
    for finding in findings:
        if finding.place.line in meant:
            continue  # somebody means to suppress it, and has not said why yet
        if finding.rule in REWRITES and (some := REWRITES[finding.rule](source, finding)):
            edits += some
            mended.add(finding.rule)
    return applied(text, edits), mended


def _retouched(text: str, findings: Sequence[Finding]) -> tuple[str, set[str]]:
    """The fixes by line; a rewrite before has moved no line."""
    parts = _LINE.split(text)
    mended: set[str] = set()
    for finding in findings:
        place = finding.place
        for number in range(place.line, max(place.line, place.end_line) + 1):
            index = (number - 1) * 2
            if finding.rule not in {HIDDEN, BARE} or index >= len(parts):
                continue
            was = parts[index]
            parts[index] = without_hidden(was) if finding.rule == HIDDEN else with_rules(was, _beside(findings, number))
            if parts[index] != was:
                mended.add(finding.rule)
    return "".join(parts), mended


def _beside(findings: Sequence[Finding], line: int) -> set[str]:
    """The rules with a finding on a line, or on the next, which a comment of its own speaks of."""
    return {
        one.rule
        for one in findings
        if one.rule != BARE and one.place.line <= line + 1 and line <= max(one.place.line, one.place.end_line)
    }


def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parses(text: str) -> bool:
    return _tree(text) is not None
