"""The labelled cases of secrets, poisoned tools and configurations: read, scanned and counted.

`python tests/support/scan_cases.py [FOLDER]` prints recall and false alarms as a table, and each miss.

A `.cases` file holds many small files: `%%% title | path | RULE:line RULE:line`, or `clean`, then the text. Nothing
that looks like a secret or that nobody sees stands in them: `⟦a36⟧` is 36 random letters and digits, `⟦x32⟧` hex,
`⟦A16⟧` capitals, `⟦d12⟧` digits, `⟦w40⟧` word characters, `⟦b40⟧` base64, `⟦b64⟧` a line of it, `⟦u:202E⟧` a
character by its code, `⟦tags:…⟧` text as tag characters.
"""

from __future__ import annotations

import re
import string
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from agentcop_scanner.engine.program import HOPS, Program
from agentcop_scanner.engine.tables import tables
from agentcop_scanner.engine.verdict import findings as taint_findings
from agentcop_scanner.rule import ConfigRule, PatternRule, TaintRule
from agentcop_scanner.rules import all_rules
from agentcop_scanner.source.disk.kinds import file_kind
from agentcop_scanner.source.module import Module
from agentcop_scanner.source.parsing import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document

CASES: Final = Path(__file__).parent.parent / "scanner" / "cases"
RULES: Final = frozenset(
    f"AC{number}"
    for number in (
        *(134, 135, 162, 163, 164, 165, 171, 172, 173, 174, 181, 182, 183, 184, 191, 192, 193, 194, 195),
        *(201, 202, 203, 204, 205, 211, 212, 213, 214, 215, 216, 217),
    )
)
"""The rules whose cases these are; what others find in them is not counted."""
_ALPHABETS: Final = {
    "a": string.ascii_letters + string.digits,
    "x": "0123456789abcdef",
    "A": string.ascii_uppercase + string.digits,
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
}
_MARK: Final = re.compile(r"⟦(?:([axAdwb])(\d{1,3})|u:([0-9A-F]{1,6})|tags:([^⟧]*)|tags-raw:([^⟧]*))⟧")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file and what is to be found in it."""

    title: str
    path: str
    text: str
    file: str
    """Name of the `.cases` file, without its ending."""
    expected: tuple[tuple[str, int], ...]
    """Rule and line; empty for an honest file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a scan of one case came to."""

    case: Case
    missed: tuple[tuple[str, int], ...]
    false: tuple[Finding, ...]
    """Findings at MEDIUM and up that no label speaks of."""


def cases(folder: Path) -> Iterator[Case]:
    """Every case in the `.cases` files of a folder."""
    for file in sorted(folder.glob("*.cases")):
        for block in file.read_text(encoding="utf-8").split("%%% ")[1:]:
            head, _, body = block.partition("\n")
            title, path, labels = (part.strip() for part in head.split("|"))
            expected = tuple(
                (rule, int(line))
                for rule, _, line in (label.partition(":") for label in labels.split() if ":" in label)
            )
            yield Case(title=title, path=path, text=_filled(body, title), file=file.stem, expected=expected)


def _filled(body: str, seed: str) -> str:
    random = Random(seed)  # noqa: S311  # made-up secrets, the same at each run

    def fill(found: re.Match[str]) -> str:
        kind, count, code, tags, raw = found.groups()
        if kind:
            text = "".join(random.choice(_ALPHABETS[kind]) for _ in range(int(count)))
            # A real one of this length has digits in all but freak cases.
            return text if kind == "d" or any(map(str.isdigit, text)) else f"7{text[1:-1]}3"
        if code:
            return chr(int(code, 16))
        return "".join(chr(0xE0000 + ord(char)) for char in tags or raw)

    return _MARK.sub(fill, body)


def findings(path: str, text: str) -> list[Finding]:
    """What the rules find in one file, given as text."""
    kind = file_kind(path)
    assert kind is not None, f"{path} is not scanned"
    return checked(parsed(text.encode(), path, kind))


def checked(subject: Module | Document) -> list[Finding]:
    """What they find in what was parsed. No fault of theirs is caught."""
    found: list[Finding] = []
    for rule in all_rules():
        if isinstance(rule, ConfigRule | TaintRule) and isinstance(subject, Module):
            found += rule.also(subject) if rule.also is not None else ()
        elif isinstance(rule, ConfigRule) or (isinstance(rule, PatternRule) and isinstance(subject, Module)):
            found += rule.check(subject)  # type: ignore[arg-type]  # the kinds were just told apart
    if isinstance(subject, Module):
        taint = tables(rule for rule in all_rules() if isinstance(rule, TaintRule))
        found += taint_findings(Program(taint, lambda _: None), subject, HOPS)
    return found


def outcome(case: Case) -> Outcome:
    """Scans one case. A label is met by a finding of its rule whose place is within a line of it."""
    found = [one for one in findings(case.path, case.text) if one.rule in RULES]
    missed = tuple(label for label in case.expected if not any(_meets(one, label) for one in found))
    false = tuple(
        one for one in found if one.severity != "LOW" and not any(_meets(one, label) for label in case.expected)
    )
    return Outcome(case=case, missed=missed, false=false)


def _meets(finding: Finding, label: tuple[str, int]) -> bool:
    rule, line = label
    place = finding.place
    last = place.end_line if place.end_line - place.line <= 10 else place.line
    return finding.rule == rule and place.line - 1 <= line <= last + 1


def table(outcomes: Iterable[Outcome]) -> str:
    """Recall and false alarms by rule, then every miss and false alarm by the case's title."""
    labels: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    false: Counter[str] = Counter()
    words: list[str] = []
    honest = alarmed = 0
    for one in outcomes:
        labels.update(rule for rule, _ in one.case.expected)
        missed.update(rule for rule, _ in one.missed)
        false.update(finding.rule for finding in one.false)
        honest += not one.case.expected
        alarmed += bool(one.false) and not one.case.expected
        words += [f"  missed {rule}:{line} in {one.case.title}" for rule, line in one.missed]
        words += [
            f"  false {found.rule}:{found.place.line} in {one.case.title}: {found.message}" for found in one.false
        ]
    rows = [f"{'rule':6} {'labels':>6} {'found':>6} {'false':>6}"]
    rows += [
        f"{rule:6} {labels[rule]:6} {labels[rule] - missed[rule]:6} {false[rule]:6}"
        for rule in sorted(labels.keys() | false.keys())
    ]
    total = labels.total()
    hit = total - missed.total()
    rows.append(
        f"recall {hit}/{total}, honest files with a false alarm {alarmed}/{honest}, false alarms {false.total()}"
    )
    return "\n".join(rows + words)


if __name__ == "__main__":
    sys.stdout.write(table(map(outcome, cases(Path(sys.argv[1]) if sys.argv[1:] else CASES / "development"))) + "\n")
