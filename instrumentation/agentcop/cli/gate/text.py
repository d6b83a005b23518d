"""gate.log for a person: one line a decision, with what became of the call at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from agentcop.cli._output import escape, escape_json, paint, shorten
from agentcop_processor.gatelog.read import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentcop.cli._output import Tone
    from agentcop_processor.gatelog.read import Line

_WINDOW = 256  # decisions that wait for their outcome; beyond, the oldest is shown without
_MAX_ARGS = 100
_MAX_WORD = 80
_MAX_REASON = 240
_TONES: dict[str, Tone] = {"allow": "good", "require_approval": "ask", "block": "bad"}
_CHAIN = frozenset({"t", "kind", "w", "n", "prev"})
_FULL_STAMP = len("2025-01-31T23:59:59.000001Z")


class _Waiting(NamedTuple):
    """A decision whose outcome is not seen yet, or whose turn has not come."""

    text: str
    if_refused: str
    """The same for a call that the gate refused after all."""
    outcome: str
    refused: bool = False


def text_of(lines: Iterable[Line], *, colour: bool, wait: bool) -> Iterator[str]:
    """The text of `lines`, in their order. `wait`: hold a decision back until its outcome is seen, and join the two.

    Every value is escaped. Lines that only begin a writer are left out, unless a failure is why.
    """
    waiting: dict[str, _Waiting] = {}
    for line in lines:
        record = line.record
        if record.get("kind") == "decision":
            text = _decision(record, colour=colour)
            if not wait:
                yield text
                continue
            if_refused = _decision(record, colour=colour, refused=True)
            waiting[f"{record['w']}:{line.seq}"] = _Waiting(text, if_refused, _known(record))
        elif record.get("kind") == "outcome":
            key = str(record.get("of", "")).rpartition(":")[0]
            refused = record.get("outcome") in REFUSED
            if key in waiting:
                waiting[key] = waiting[key]._replace(outcome=_outcome(record), refused=refused)
            else:
                yield from _released(waiting)
                word = paint(f"{'refused':<16}", "bad", on=colour) if refused else f"{'outcome':<16}"
                yield f"{_when(record)}  {word}  {_word(record, 'tool')}  → {_outcome(record)}"
        elif record.get("kind") != "start" or record.get("why", "fork") != "fork":
            yield from _released(waiting)
            yield paint(f"{_when(record)}  {_word(record, 'kind'):<16}  {_rest(record)}", "dim", on=colour)
        yield from _settled(waiting)
    yield from _released(waiting)


def _settled(waiting: dict[str, _Waiting]) -> Iterator[str]:
    """The decisions at the front whose outcome is known, or that waited too long."""
    while waiting:
        key = next(iter(waiting))
        first = waiting[key]
        if not first.outcome and len(waiting) <= _WINDOW:
            return
        del waiting[key]
        yield _joined(first)


def _released(waiting: dict[str, _Waiting]) -> Iterator[str]:
    for each in waiting.values():
        yield _joined(each)
    waiting.clear()


def _joined(each: _Waiting) -> str:
    return f"{each.if_refused if each.refused else each.text}  → {each.outcome or 'no outcome yet'}"


def _decision(record: Mapping[str, object], *, colour: bool, refused: bool = False) -> str:
    """`refused`: the call did not run after all, whatever the verdict, which may be an allow."""
    verdict = str(record.get("verdict", ""))
    word = f"would {verdict}" if record.get("mode") == "observe" and verdict != "allow" else verdict
    if _is_ungoverned(record):
        word, verdict = "ungoverned", ""
    tone = _TONES.get(verdict, "ask")
    if refused:
        word, tone = "refused", "bad"
    # Padded before it is painted: colour codes have a length too.
    shown = paint(f"{shorten(escape(word), _MAX_WORD):<16}", tone, on=colour)
    parts = [_when(record), shown, f"{_word(record, 'tool')}{_args(record)}", *_why(record, verdict)]
    if at := _word(record, "at"):
        parts.append(f"at {at}")
    if agent := _word(record, "agent"):
        parts.append(f"agent {agent}")
    return "  ".join(part for part in parts if part)


def _why(record: Mapping[str, object], verdict: str) -> tuple[str, ...]:
    """The rule, and what a person needs to know beside it; a reason that names the rule stands alone."""
    rule = _word(record, "rule")
    reason = "" if verdict == "allow" else shorten(escape(str(record.get("reason", ""))), _MAX_REASON)
    if _is_ungoverned(record):
        return ()
    return (reason,) if rule and rule in reason else (rule, reason)


def _is_ungoverned(record: Mapping[str, object]) -> bool:
    return record.get("verdict") == "allow" and record.get("decided_by") == "none"


def _known(record: Mapping[str, object]) -> str:
    if _is_ungoverned(record):
        return "nobody judged it, nor watched how it ended"
    return "did not run" if record.get("verdict") == "block" and record.get("mode") != "observe" else ""


def _outcome(record: Mapping[str, object]) -> str:
    said = _word(record, "outcome") or "?"
    if by := _word(record, "by"):
        said += f" by {by}"
    ms = record.get("ms")
    took = f" in {ms:.1f} ms" if isinstance(ms, float) and ms else ""
    if engine := _word(record, "sandbox_engine"):
        took += f", in a box of {engine}{', by fallback' if record.get('sandbox_fallback') else ''}"
    took += _egress(record)
    # What the tool or the approver failed with, or what the person who decided said to it.
    why = str(record.get("error") or record.get("message") or "")
    return f"{said}{took}{f': {shorten(escape(why), _MAX_REASON)}' if why else ''}"


def _egress(record: Mapping[str, object]) -> str:
    """What the call was refused on its way out of its box."""
    refused = record.get("egress_refused")
    if not isinstance(refused, list) or not refused:
        return ""
    told = []
    for each in refused:
        place, why, times = (_word(each, name) if isinstance(each, dict) else "?" for name in ("place", "why", "times"))
        told.append(f"{place}{'' if times == '1' else f' {times} times'} ({why})")
    unlisted = _word(record, "egress_unlisted")
    return f", egress refused: {'; '.join(told)}{f'; {unlisted} other requests' if unlisted else ''}"


def _args(record: Mapping[str, object]) -> str:
    args = record.get("args")
    return "" if args is None else f" {shorten(escape_json(orjson.dumps(args).decode()), _MAX_ARGS)}"


def _when(record: Mapping[str, object]) -> str:
    stamp = escape(str(record.get("t", "")))
    return f"{stamp[:10]} {stamp[11:23]}Z" if len(stamp) == _FULL_STAMP else shorten(stamp, _FULL_STAMP)


def _word(record: Mapping[str, object], name: str) -> str:
    return shorten(escape(str(record.get(name, ""))), _MAX_WORD)


def _rest(record: Mapping[str, object]) -> str:
    return "  ".join(f"{escape(name)}={_word(record, name)}" for name in record if name not in _CHAIN)
