"""Comments that say why a finding is none: `# agentcop: ignore[AC121] paths come from our own list until=2027-01-31`.

The reason is required, and so is the rule. A comment silences what stands on its line; one that has a line for itself
silences the first line of code after it.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from agentcop_scanner.source.module import Module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document

_MARK: Final = "agentcop:"
_COMMENT: Final = re.compile(r"agentcop: ?ignore\b(?:\[(?P<rules>[^\]]{0,200})\])?(?P<words>.{0,500})")
_RULE: Final = re.compile(r"AC\d{3}")
_UNTIL: Final = re.compile(r"(?:^|\s)until=(\S{1,40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One comment, as it is written: whether it still holds is asked with the day."""

    line: int
    """Where the comment stands."""
    covers: int
    """The line whose findings it silences."""
    rules: tuple[str, ...] = ()
    reason: str = ""
    until: str = ""
    """YYYY-MM-DD, the last day on which it holds; "" for ever."""
    problem: str = ""
    """Why it silences nothing: no rule, no reason, a date that is none; "" if it does."""

    def silences(self, finding: Finding) -> bool:
        """Whether it speaks of this finding, by rule and place."""
        place = finding.place
        return (
            not self.problem
            and finding.rule in self.rules
            and place.line <= self.covers <= max(place.line, place.end_line)
        )

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return bool(self.until) and today > date.fromisoformat(self.until)


def suppressions_in(subject: Module | Document) -> tuple[Suppression, ...]:
    """Those of a file, in lines of the file."""
    if not isinstance(subject, Module):
        return document_suppressions(subject.text)
    found = python_suppressions(subject.text)
    if not subject.line_map:
        return found
    return tuple(replace(one, line=subject.file_line(one.line), covers=subject.file_line(one.covers)) for one in found)


def python_suppressions(text: str) -> tuple[Suppression, ...]:
    """Those in the comments of a module that parses; what looks like one in a string is none."""
    if _MARK not in text:
        return ()
    lines = text.split("\n")  # as the tokenizer counts them: a form feed ends no line
    found: list[Suppression] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)):
                line = token.start[0]
                alone = not token.line[: token.start[1]].strip()
                found.append(_read(match, line, _next_code(lines, line, "#") if alone else line))
    except (tokenize.TokenError, SyntaxError, ValueError):
        # The tree's parser read what the tokenizer cannot: comments up to there are known, later ones silence nothing.
        return tuple(found)
    return tuple(found)


def document_suppressions(text: str) -> tuple[Suppression, ...]:
    """Those in a file of settings or prose: a line that holds nothing but a comment (`#`, `//`, `<!-- -->`)."""
    if _MARK not in text:
        return ()
    lines = text.splitlines()
    return tuple(_in_lines(lines))


def _in_lines(lines: Sequence[str]) -> Iterator[Suppression]:
    for number, line in enumerate(lines, 1):
        if _MARK not in line:
            continue
        bare = line.strip()
        for opening, closing in (("#", ""), ("//", ""), ("<!--", "-->")):
            if bare.startswith(opening) and bare.endswith(closing):
                words = bare.removeprefix(opening).removesuffix(closing)
                if match := _COMMENT.match(words.strip()):
                    yield _read(match, number, _next_code(lines, number, opening))
                break


def _next_code(lines: Sequence[str], line: int, opening: str) -> int:
    """The first line after `line` with more than a comment on it; `line` itself at the end of the file."""
    for number in range(line, len(lines)):
        bare = lines[number].strip()
        if bare and not bare.startswith(opening):
            return number + 1
    return line


def _read(match: re.Match[str], line: int, covers: int) -> Suppression:
    named = tuple(rule.strip() for rule in (match["rules"] or "").split(",") if rule.strip())
    words = match["words"]
    until = _UNTIL.search(words)
    reason = " ".join(_UNTIL.sub(" ", words).strip(" \t:-").split())
    day = until[1] if until else ""
    return Suppression(
        line=line,
        covers=covers,
        rules=named,
        reason=reason,
        until=day,
        problem=_problem(named, reason, day),
    )


def _problem(rules: Iterable[str], reason: str, until: str) -> str:
    rules = tuple(rules)
    if not rules:
        return "it names no rule: write agentcop: ignore[AC…] and the reason"
    for rule in rules:
        if not _RULE.fullmatch(rule):
            return f"{rule!r} is no rule: they are written AC and three digits"
    if not reason:
        return "it gives no reason"
    if until:
        return "" if _is_day(until) else f"until={until} is no day of the form YYYY-MM-DD"
    return ""


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text  # Python also reads 20270131
    except ValueError:
        return False
