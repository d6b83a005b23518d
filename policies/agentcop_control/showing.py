"""A held call as a person sees it: complete, on plain lines, with nothing that hides or drives the terminal."""

from __future__ import annotations

import time
import unicodedata
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_core.escape import escape, escape_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_control.asking import Question

_INDENT: Final = "    "
_LABEL: Final = 11
_MAX_LISTED: Final = 40
_MAX_DEPTH: Final = 64


def lines(question: Question, *, width: int = 100) -> tuple[str, ...]:
    """Every line to show, none wider than `width` (at least 40) columns of Latin text. All arguments are in it."""
    approval, call, verdict = question.approval, question.call, question.verdict
    text = escape_json(question.arguments.decode("utf-8", "replace"))
    rows = [
        ("tool", call.tool),
        ("agent", call.agent_id),
        ("session", call.session_id),
        ("principal", question.principal),
        ("rule", f"{verdict.rule} at {verdict.at}" if verdict.at else verdict.rule),
        ("reason", verdict.reason),
        ("policy", " ".join(part for part in (verdict.policy_version, verdict.policy_digest[:16]) if part)),
        ("environment", question.environment),
        ("approvers", ", ".join(question.approvers)),
        ("arguments", f"{len(text):,} characters of canonical JSON, all of them here:"),
    ]
    notes = [
        ("hidden", _listed(hidden_in(question)), "shown redacted; the digest covers what will run"),
        ("opaque", _listed(call.arguments.opaque), "live objects: only their types are shown"),
        ("not Latin", _listed(_strangers(text)), "letters that may look like others"),
    ]
    room = max(40, width)
    shown = [f"agentcop: approval {approval.id} is asked for", *_rows(rows, room), *_wrapped(text, room)]
    shown += _rows([(name, f"{what} ({why})") for name, what, why in notes if what], room)
    until = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(approval.deadline))
    shown += _rows([("digest", approval.digest), ("until", until)], room)
    return tuple(shown)


def hidden_in(question: Question) -> tuple[str, ...]:
    """The paths of the arguments that stand redacted in `question.arguments`, as `headers.token`; in order."""
    if question.arguments == question.call.arguments.canonical:
        return ()
    return tuple(_differing(question.call.arguments.plain, orjson.loads(question.arguments), ""))


def _differing(plain: object, shown: object, path: str, depth: int = 0) -> Iterator[str]:
    if depth < _MAX_DEPTH and isinstance(plain, dict) and isinstance(shown, dict) and len(plain) == len(shown):
        if plain.keys() == shown.keys():
            for key in sorted(plain):
                yield from _differing(plain[key], shown[key], f"{path}.{key}" if path else key, depth + 1)
            return
    elif depth < _MAX_DEPTH and isinstance(plain, list) and isinstance(shown, list) and len(plain) == len(shown):
        for index, pair in enumerate(zip(plain, shown, strict=True)):
            yield from _differing(*pair, f"{path}[{index}]", depth + 1)
        return
    if plain != shown:
        yield path or "all arguments"


def _strangers(text: str) -> tuple[str, ...]:
    """The letters of other scripts than Latin: the letter and `U+0430`, each once."""
    if text.isascii():
        return ()
    found = dict.fromkeys(char for char in text if char.isalpha() and not char.isascii())
    return tuple(f"{char} U+{ord(char):04X}" for char in found if not unicodedata.name(char, "").startswith("LATIN "))


def _listed(names: tuple[str, ...]) -> str:
    listed = ", ".join(names[:_MAX_LISTED])
    return listed if len(names) <= _MAX_LISTED else f"{listed} and {len(names) - _MAX_LISTED:,} more"


def _rows(rows: list[tuple[str, str]], width: int) -> Iterator[str]:
    for name, value in rows:
        if value:
            first, *rest = _pieces(escape(value), width - _LABEL - 4) or [""]
            yield f"  {name:<{_LABEL}}  {first}"
            yield from (" " * (_LABEL + 4) + piece for piece in rest)


def _wrapped(text: str, width: int) -> Iterator[str]:
    yield from (_INDENT + piece for piece in _pieces(text, width - len(_INDENT)))


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
