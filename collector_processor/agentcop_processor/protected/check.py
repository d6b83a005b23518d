"""Whether the arguments of one call lead to a protected place."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import shorten
from agentcop_processor.protected.commands import runs_a_program
from agentcop_processor.protected.current import around, with_links
from agentcop_processor.protected.globs import may_end, may_match
from agentcop_processor.protected.resolver import Resolver
from agentcop_processor.protected.texts import texts_of, texts_of_unread
from agentcop_processor.protected.words import (
    GLOB,
    UNKNOWN,
    TooIntricateError,
    at_home,
    filled,
    plain_words,
    within_reach,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentcop_core.toolcall import Arguments
    from agentcop_processor.protected.current import Around
    from agentcop_processor.protected.places import Place

# Paths stay text: see places.

_log = logging.getLogger("agentcop")

_OURS: Final = re.compile(r"AGENTCOP_(HOME|POLICY)\b")
_MANY: Final = 64
"""Words beyond which one list of the working folder costs less than a look at each."""
_MAX_NAME: Final = 256
_BRACKET: Final = re.compile(rb"[\[{](?<=[^:,\[{].)")
"""A bracket inside a text: those of JSON itself follow a sign of its own."""


def led_to(arguments: Arguments) -> str:
    """One sentence that names the argument and what it leads to; "" where none leads to a protected place.

    Blocks on the file system where a text looks like a path. Never raises: what cannot be looked at is a sentence too.
    """
    try:
        here, canonical = around(), arguments.canonical
        if not here.has_links and _may_name_a_link(arguments):
            here = with_links(here)
        # What holds none of these leads nowhere but to a bare name in the working folder.
        if not (
            b"/" in canonical
            or b"~" in canonical
            or b"$" in canonical  # bytes too, which stand as `{"$bytes": …}`
            or b"%" in canonical
            or b".." in canonical
            or b"\\\\" in canonical
            or b"AGENTCOP_" in canonical
        ) and not (here.names and _names_one(canonical, here)):
            return ""
        return _Check(here).run(list(texts_of(arguments)))
    except TooIntricateError as words:
        return _unseen(str(words))
    except Exception as fault:
        return _failed(fault)


def led_to_unread(arguments: Mapping[str, object]) -> str:
    """The same for arguments that could not be frozen, as far as they can be read within bounds."""
    try:
        return _Check(with_links(around())).run(list(texts_of_unread(arguments)))
    except TooIntricateError as words:
        return _unseen(str(words))
    except Exception as fault:
        return _failed(fault)


def _failed(fault: Exception) -> str:
    _log.error("agentcop: arguments could not be held against the protected places", exc_info=fault)
    return _unseen(type(fault).__name__)


def _unseen(why: str) -> str:
    return f"it could not be seen whether an argument leads to what the gate rests on ({why})"


def _names_one(canonical: bytes, here: Around) -> bool:
    """Whether a bare name of the working folder may stand there, as it is or taken apart by quotes and globs."""
    if here.folds:
        return True
    lowered = canonical.lower()
    return any(name in lowered for name in here.written) or _is_broken_up(canonical)


def _is_broken_up(canonical: bytes) -> bool:
    """Whether a bare name may stand there in pieces."""
    if b"'" in canonical or b"`" in canonical or b"*" in canonical or b"?" in canonical or b"\\" in canonical:
        return True
    return _BRACKET.search(canonical) is not None


def _may_name_a_link(arguments: Arguments) -> bool:
    """Whether a word of the arguments is a link in the working folder, or may be one in pieces."""
    if _is_broken_up(arguments.canonical):
        return True
    words = {word for _, text in texts_of(arguments) for word in plain_words(text)}
    return len(words) > _MANY or any(map(os.path.islink, words))


class _Check:
    """One look at one call."""

    def __init__(self, here: Around) -> None:
        self._here = here
        self._places = here.places
        self._resolver = Resolver(here.places)
        self._names = set(here.names)
        self._above: dict[str, None] = {}
        """Folders above a place that some word has named: what is named elsewhere may start there."""

    def run(self, texts: list[tuple[str, str]]) -> str:
        """The sentence for the first text that leads to a place."""
        while True:
            known = len(self._above)
            for name, text in texts:
                if (place := self._text(text)) is not None:
                    return (
                        f'argument "{shorten(name, _MAX_NAME)}" leads {place.whither}, on which the gate itself rests'
                    )
            if len(self._above) == known:
                return ""

    def _text(self, text: str) -> Place | None:
        if _OURS.search(text) is not None and ("env" in text or "$" in text):
            return self._places.places[0]  # named by its variable, to be read by a program
        whole = within_reach(filled(text.strip()))
        if whole and (place := self._path(whole, text="")) is not None:
            return place
        for word in words_of(text, self._names, spans=self._places.awkward):
            if word != whole and (place := self._path(word, text=text)) is not None:
                return place
        return None

    def _path(self, word: str, *, text: str) -> Place | None:
        """`text`: what the word stands in; "" if it is all of an argument's text."""
        path = at_home(word)
        if not GLOB.isdisjoint(path) and (place := self._glob(path, text)) is not None:
            return place
        literal = _literal_part(path)
        for base in self._bases(literal):
            place, real = self._resolver.lead(f"{base}/{literal}")
            if place is not None and (text == "" or _speaks_for_itself(literal) or runs_a_program(text)):
                return place
            if place is None and real:
                self._note(real)
        return self._named_anew(path) if self._above else None

    def _note(self, real: str) -> None:
        """What is named may be a folder above a place, or lie beside one: what is named elsewhere may start there."""
        folder = real if real in self._places.above else real.rpartition("/")[0]
        if folder not in self._places.above or folder == self._here.folder or folder in self._above:
            return
        if folder == real or folder in self._places.homes:
            self._above[folder] = None
            self._names.update(name.casefold() for name in self._places.next_names(folder))

    def _named_anew(self, path: str) -> Place | None:
        """The place that a file takes if it is put, under its own name, into a folder named elsewhere: `cp x/y z`."""
        name = path.rstrip("/").rpartition("/")[2]
        for folder in tuple(self._above) if name and name in path[1:] else ():
            if (place := self._places.at(f"{folder.rstrip('/')}/{name}")) is not None and _speaks_for_itself(name):
                return place
        return None

    def _bases(self, path: str) -> Iterable[str]:
        """From where `path` may start: as it stands, from the working folder, from the folders named elsewhere."""
        relative = path.lstrip("/")
        if not path or (not relative and self._above):
            return
        first = relative.partition("/")[0]
        folded = first.casefold()
        if path.startswith("/"):
            yield ""
        elif self._here.folder and self._starts_here(path, first, folded):
            yield self._here.folder
        for folder in tuple(self._above):
            # Also what begins with a `/`: so stands in the text what follows an unknown beginning, as in `$(pwd)/x`.
            if first in (".", "..") or any(folded == name.casefold() for name in self._places.next_names(folder)):
                yield folder

    def _starts_here(self, path: str, first: str, folded: str) -> bool:
        if first in (".", "..") or folded in self._here.names:
            return True
        return "/" in path and ("/../" in path or self._resolver.exists(self._here.folder, first))

    def _glob(self, path: str, text: str) -> Place | None:
        if path.startswith("/"):
            return may_match(path, self._places)
        if path.startswith(UNKNOWN) and "/" in path:
            return may_end(path, self._places)
        for folder in (self._here.folder, *self._above):
            # Without a shell around it, it is a pattern that the tool itself expands, as `*.yaml`: no path yet.
            if folder and (place := may_match(f"{folder}/{path}", self._places)) is not None and runs_a_program(text):
                return place
        return None


def _speaks_for_itself(path: str) -> bool:
    """Whether a word in a longer text is a path whatever the text is: a lone `data` or `state` may be just a word."""
    return "/" in path or "." in path


def _literal_part(path: str) -> str:
    """What stands before the first part with a glob in it."""
    kept = []
    for part in path.split("/"):
        if not GLOB.isdisjoint(part):
            break
        kept.append(part)
    return "/".join(kept) + ("/" if kept == [""] else "")
