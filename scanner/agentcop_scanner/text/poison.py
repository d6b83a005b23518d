"""Hidden instructions in what a tool, a skill or a settings file tells the model.

No list of sayings: a text is poisoned by what its sentences do together. It hides something from the user and, beside
it, takes secrets, puts itself before other tools or sends text elsewhere; or it hands a machine's key files to an
address; or it cancels the instructions that the model has. One of these alone is what honest tools write too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice
from typing import Final

from agentcop_scanner.text import lexicon

_LONGEST_SENTENCE: Final = 1_000
_AROUND: Final = 2
_SPACES: Final = re.compile(r"[^\S\n]+|\n(?!\s*\n)")
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_QUOTED_WORDS: Final = 3
_MOST_NOTS: Final = 20
_GOVERNS: Final = 36
"""How far after `not` stands the verb that it forbids."""
_FAR: Final = 100
_OBJECT: Final = 40
"""How far after `tell` stands what is not to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """A hidden instruction in a text."""

    why: str
    """What makes it one, as the end of a sentence that begins `It`."""
    start: int
    end: int
    sure: bool
    """Whether an honest reason is hard to think of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    start: int
    end: int
    hides: bool
    """Tells the model to keep something from the user."""
    hides_itself: bool
    """What it keeps from the user is this very instruction, or everything."""
    orders_silence: bool
    """Forbids by name to tell the user of it."""
    leaves_out: bool
    takes: str
    """What it hands on: `keys` (files of keys), `secrets`, `talk`; "" for nothing."""
    reads_keys: bool
    gives: bool
    first: bool
    """Puts itself before other tools or calls."""
    cancels: bool
    marks: bool
    sends: bool
    slot: bool
    alters: bool
    """Changes code or a decision."""


def poison(text: str, *, of_tool: bool = False) -> Poison | None:
    """The first hidden instruction in a text; None if it is honest. Linear in the text.

    `of_tool`: the text describes a tool or an argument, which has no business with files of keys at all.
    """
    sentences = _sentences(text)
    for at, sentence in enumerate(sentences):
        around = sentences[max(0, at - _AROUND) : at + _AROUND + 1]
        found = _judge(sentence, around, of_tool=of_tool)
        if found is not None:
            return Poison(why=found[0], start=sentence.start, end=sentence.end, sure=found[1])
    return None


def _judge(sentence: _Sentence, around: list[_Sentence], *, of_tool: bool) -> tuple[str, bool] | None:
    if sentence.cancels:
        return "tells the model to drop the instructions it has", True
    if sentence.hides:
        return _hidden(sentence, around)
    if sentence.takes and any(other.leaves_out for other in around):
        return "has the model take private text and leave that out of what it shows", False
    if sentence.takes == "keys" and sentence.sends:
        return "has the model send files of keys to an address", True
    return _keys_handed_on(sentence, around, of_tool=of_tool)


def _keys_handed_on(sentence: _Sentence, around: list[_Sentence], *, of_tool: bool) -> tuple[str, bool] | None:
    if of_tool and sentence.takes == "keys" and sentence.slot:
        return "has the model hand on files of keys", False
    marked = any(other.marks for other in around)
    keys = sentence.takes == "keys" or (sentence.reads_keys and any(other.gives and other.slot for other in around))
    if keys and (marked or sentence.first) and (sentence.slot or sentence.takes == "keys"):
        return "has the model read files of keys and hand them on", True
    return None


def _hidden(sentence: _Sentence, around: list[_Sentence]) -> tuple[str, bool] | None:
    """What a sentence that keeps something from the user is there for."""
    if any(other.takes or (other.reads_keys and any(one.gives for one in around)) for other in around):
        return "has the model take private text and hide that from the user", True
    if any(other.marks for other in around) and sentence.hides_itself:
        return "speaks with the voice of the system and hides that from the user", True
    if any(other.sends and other.gives for other in around):
        return "has the model put in or send something and hide that from the user", True
    if sentence.hides_itself and any(other.first for other in around):
        return "puts itself before other tools and hides that from the user", sentence.first
    if sentence.orders_silence and any(other.alters for other in around if other.start < sentence.start):
        return "has the model change something and hide that from the user", False
    return None


def _sentences(text: str) -> list[_Sentence]:
    found: list[_Sentence] = []
    at = 0
    for split in _bounds(text):
        if split > at:
            # A text without an end of sentence is read in pieces, none of which is long.
            starts = range(at, split, _LONGEST_SENTENCE)
            found.extend(_sentence(text, start, min(split, start + _LONGEST_SENTENCE)) for start in starts)
        at = split
    return found


def _bounds(text: str) -> list[int]:
    return [*(match.end() for match in lexicon.SENTENCE.finditer(text)), len(text)]


def _sentence(text: str, start: int, end: int) -> _Sentence:
    plain = _plain(text[start:end])
    used = lexicon.QUOTED.sub(_unquoted, plain)
    covert = bool(lexicon.COVERT.search(used))
    hush = bool(lexicon.HUSH.search(used))
    tell = _untold(used)
    told = tell is not None
    itself = tell is not None and bool(lexicon.ITSELF.search(used, tell, tell + _OBJECT))
    gives = bool(lexicon.GIVE.search(used)) and not _forbids(used)
    return _Sentence(
        start=start,
        end=end,
        hides=told or hush or (covert and gives),
        hides_itself=hush or covert or (told and (itself or bool(lexicon.WITHOUT.search(used)))),
        orders_silence=told and itself,
        leaves_out=bool(lexicon.LEFT_OUT.search(used)),
        takes=_taken(plain) if gives else "",
        reads_keys=bool(lexicon.READ.search(used)) and _keys(plain) and not _forbids(used),
        gives=gives,
        first=bool(lexicon.PRECEDENCE.search(used)),
        cancels=_cancels(used) and not _forbids(used),
        marks=bool(lexicon.MARKUP.search(plain)),
        sends=bool(lexicon.ADDRESS.search(plain)),
        slot=bool(lexicon.SLOT.search(plain)),
        alters=bool(lexicon.ALTER.search(used)) and not _forbids(used),
    )


def _untold(used: str) -> int | None:
    """Where the verb ends that a sentence forbids: to tell the user; None if it forbids nothing of the kind."""
    for match in islice(lexicon.NOT.finditer(used), _MOST_NOTS):
        tell = lexicon.TELL.search(used, match.end(), match.end() + _GOVERNS)
        if tell is None or lexicon.WITHOUT.search(used, match.end(), tell.start()):
            continue
        if _to_user(used, tell.end()):
            return tell.end()
    for match in islice(lexicon.NOT.finditer(used), _MOST_NOTS):
        learn = lexicon.LEARN.search(used, match.end(), match.end() + _GOVERNS)
        if learn is not None and lexicon.USER.search(used, max(0, match.start() - _GOVERNS), match.start()):
            return learn.end()
    for match in islice(lexicon.WITHOUT.finditer(used), _MOST_NOTS):
        # "Never stop without telling the user" asks for the opposite.
        clause = max(used.rfind(mark, 0, match.start()) for mark in (";", ":", " then ", "。")) + 1
        tell = lexicon.TELL.search(used, match.end(), match.end() + _GOVERNS)
        tell = tell or lexicon.ASK.search(used, match.end(), match.end() + _GOVERNS)
        if tell and _to_user(used, tell.start()) and not lexicon.NOT.search(used, clause, match.start()):
            return tell.end()
    for match in islice(lexicon.TELL.finditer(used), _MOST_NOTS):
        after = lexicon.NOT_AFTER.search(used, match.end(), match.end() + _OBJECT)
        around = lexicon.USER.search(used, max(0, match.start() - _GOVERNS), match.end() + _OBJECT)
        if after is not None and around is not None:
            return match.end()
    return None


def _to_user(used: str, at: int) -> bool:
    end = at + _FAR
    return bool(lexicon.USER.search(used, at, end) or lexicon.REPLY.search(used, at, end))


_FORBIDDEN: Final = re.compile(
    r"(?:^|[,:;(] ?|\band |\bor |\bplease |\byou (?:must|should|may|can|will) )(?:do not|don't|never|must not"
    r"|should not|avoid|cannot)\b"
    r"|^(?:\W{0,4}(?:sende|übergib|gib) (?:keine?|nie|niemals)\b)|(?:^|\W)(?:n'|ne )\w+ (?:pas|jamais)\b"
    r"|^\W{0,4}(?:no|nunca|não|non|не) \w"
    r"|^\W{0,4}(?:不要|请勿|切勿)"
)


def _forbids(used: str) -> bool:
    """Whether the sentence as a whole says what not to do; `do not tell the user` inside another is none."""
    found = _FORBIDDEN.search(used)
    return found is not None and lexicon.GIVE.search(used, 0, found.start()) is None


def _cancels(used: str) -> bool:
    """Whether it says to drop the instructions at hand, and not those that other people's text may hold."""
    found = lexicon.OVERRIDE.search(used)
    return found is not None and lexicon.DEFENCE.match(used, found.end()) is None


def _taken(plain: str) -> str:
    if _keys(plain):
        return "keys"
    if lexicon.TALK.search(plain):
        return "talk"
    return "secrets" if lexicon.SECRETS.search(plain) else ""


def _keys(plain: str) -> bool:
    return bool(lexicon.STORES.search(plain)) and not lexicon.PUBLIC_KEY.search(plain)


def _plain(text: str) -> str:
    """Lower case, one space between words, no characters that nobody sees, wide and fancy letters as plain ones."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).replace("\u2019", "'")
    return _SPACES.sub(" ", text.lower()).strip()


def _unquoted(found: re.Match[str]) -> str:
    """Quoted words of some length are spoken of, not said: an example of an attack is none."""
    return found[0] if found[0].count(" ") < _QUOTED_WORDS - 1 else ' "" '
