"""Whether the arguments of one call lead to a protected place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_processor.protected.commands import runs_a_program
from agentcop_processor.protected.current import around
from agentcop_processor.protected.globs import may_match
from agentcop_processor.protected.resolver import MAX_PATH, Resolver
from agentcop_processor.protected.texts import texts_of, texts_of_unread
from agentcop_processor.protected.words import GLOB, expanded, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentcop_core.toolcall import Arguments
    from agentcop_processor.protected.current import Around
    from agentcop_processor.protected.places import Place

_BRACKET: Final = re.compile(rb"[\[{](?<=[^:,\[{].)")
"""A bracket inside a text: those of JSON itself follow a sign of its own."""


def led_to(arguments: Arguments) -> str:
    """One sentence that names the argument and what it leads to; "" where none leads to a protected place.

    Blocks on the file system where a text looks like a path. May raise what a fault of ours raises.
    """
    here, canonical = around(), arguments.canonical
    # What holds none of these leads nowhere but to a bare name in the working folder.
    if not (
        b"/" in canonical
        or b"~" in canonical
        or b"$" in canonical  # bytes too, which stand as `{"$bytes": …}`
        or b"%" in canonical
        or b".." in canonical
        or b"\\\\" in canonical
    ) and not (here.names and _names_one(canonical, here)):
        return ""
    return _Check(here).run(list(texts_of(arguments)))


def _names_one(canonical: bytes, here: Around) -> bool:
    """Whether a bare name of the working folder may stand there, as it is or taken apart by quotes and globs."""
    if b"'" in canonical or b"`" in canonical or b"*" in canonical or b"?" in canonical or b'\\"' in canonical:
        return True
    lowered = canonical.lower()
    return any(name in lowered for name in here.written) or _BRACKET.search(canonical) is not None


def led_to_unread(arguments: Mapping[str, object]) -> str:
    """The same for arguments that could not be frozen, as far as they can be read within bounds."""
    return _Check(around()).run(list(texts_of_unread(arguments)))


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
                    return f'argument "{name}" leads {place.whither}, on which the gate itself rests'
            if len(self._above) == known:
                return ""

    def _text(self, text: str) -> Place | None:
        whole = text.strip()
        if whole and len(whole) <= MAX_PATH and (place := self._path(whole, text="")) is not None:
            return place
        for word in words_of(text, self._names, spans=self._places.awkward):
            if word != whole and (place := self._path(word, text=text)) is not None:
                return place
        return None

    def _path(self, word: str, *, text: str) -> Place | None:
        """`text`: what the word stands in; "" if it is all of an argument's text."""
        for path, unknown in expanded(word):
            if not GLOB.isdisjoint(path) and (place := self._glob(path, text)) is not None:
                return place
            literal = _literal_part(path)
            for base in self._bases(literal, unknown=unknown):
                place, real = self._resolver.lead(f"{base}/{literal}")
                if place is not None and (text == "" or _speaks_for_itself(literal) or runs_a_program(text)):
                    return place
                if place is None and real and self._places.is_above(real) and real != self._here.folder:
                    self._above.setdefault(real)
                    self._names.update(name.casefold() for name in self._places.next_names(real))
        return None

    def _bases(self, path: str, *, unknown: bool) -> Iterable[str]:
        """From where `path` may start: as it stands, from the working folder, from the folders named elsewhere."""
        relative = path.lstrip("/")
        if not path or (not relative and self._above):
            return
        first = relative.partition("/")[0]
        folded = first.casefold()
        here = self._here.folder
        if path.startswith("/"):
            yield ""
        elif here and not unknown and self._starts_here(path, first, folded):
            yield here
        for folder in tuple(self._above):
            # Also what begins with a `/`: so stands in the text what follows an unknown beginning, as in `$(pwd)/x`.
            if first in (".", "..") or any(folded == name.casefold() for name in self._places.next_names(folder)):
                yield folder

    def _starts_here(self, path: str, first: str, folded: str) -> bool:
        if first in (".", "..") or folded in self._here.names:
            return True
        return "/" in path and self._resolver.exists(self._here.folder, first)

    def _glob(self, path: str, text: str) -> Place | None:
        if path.startswith("/"):
            return may_match(path, self._places)
        if not text or not runs_a_program(text):
            return None  # a pattern that the tool itself expands, as `*.yaml`: it is no path yet
        for folder in (self._here.folder, *self._above):
            if folder and (place := may_match(f"{folder}/{path}", self._places)) is not None:
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
