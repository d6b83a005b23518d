"""The one redactor: whatever leaves the process as text goes through it.

It hides what looks like a secret (`secrets`) and what is named like one (`sensitive`). It does not find secrets that
look like nothing and are called nothing; `monitor.content: none` is for those.
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from agentcop_core.redact.assignments import hide_assigned
from agentcop_core.redact.secrets import MARKER, SHAPES, Shape, hide_private_keys, marker
from agentcop_core.redact.sensitive import Sensitivity, sensitivity

_SHOUTED: Final = r"A(?:KIA|SIA|BIA|CCA|Iza|A)|BEGIN|GOCSPX|S(?:G\.|K)|J(?<=eyJ)|\\[u/]|//|\?sig|&sig"
_SPOKEN: Final = (
    r"k(?:e[ny]|ie|\.com/)|c(?:re[td]|v[vc]|url)|uth|p(?:ass|wd|in[^abd-z]|(?<=otp))|bearer|xox|y(?:sql|a29\.)|jwt"
    r"|_(?:(?<=hf_)|(?<=npm_)|(?<=gh[pousr]_)|(?<=whsec_)|(?<=[sr]k_))"
    r"|-(?:(?<=gl[a-z]{2}-)|(?<=gl[a-z]{3}-)|(?<=gl[a-z]{4}-)|(?<=gl[a-z]{5}-)|(?<=sk-)|(?<=pypi-)|(?<=xapp-))"
    r"|/webhooks/|_pat_"
)
"""Every secret has one of these in it: the first as they stand, the second in lower case. Alternatives begin with
one plain character, which lets the scan skip to the few that matter."""

_TEXT_SHOUTED: Final = re.compile(_SHOUTED)
_TEXT_SPOKEN: Final = re.compile(_SPOKEN)
_JSON_SHOUTED: Final = re.compile(_SHOUTED.encode())
_JSON_SPOKEN: Final = re.compile(_SPOKEN.encode())

_ESCAPED: Final = re.compile(r"\\u00([2-7][0-9a-fA-F])|\\/")
_MAX_DEPTH: Final = 200
_MAX_ROUNDS: Final = 4
_NAMES: Final = ("name", "key", "header")
_PAIR: Final = 2
_LOGINS: Final = frozenset({"-u", "--user", "--proxy-user"})


class Redactor:
    """Hides secrets in text and in JSON-shaped values. Thread-safe; idempotent; never raises; does not block."""

    __slots__ = ("_shapes",)

    def __init__(self, shapes: tuple[Shape, ...] = SHAPES) -> None:
        """`shapes`: the kinds of secret known by their shape."""
        self._shapes = shapes

    def redact(self, value: object) -> object:
        """A copy of a JSON-shaped value with secrets replaced by `[redacted:kind]`.

        Lists, objects and their lengths stay; under a sensitive name the whole value goes, whatever it is, except
        booleans, null and what is empty. What is not JSON-shaped, or nested over 200 levels, goes too.
        """
        return self._value(value, 0)

    def redact_text(self, text: str) -> str:
        """`text` with secrets replaced by `[redacted:kind]`; the same object if there are none."""
        if not _TEXT_SHOUTED.search(text) and not _TEXT_SPOKEN.search(text.lower()):
            return text
        # JSON within text may spell any letter as \u0061: what only shows when spelled out is hidden spelled out.
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", text)
        if plain != text and (hidden := self._settle(plain)) != plain:
            return hidden
        return self._settle(text)

    def redact_json(self, canonical: bytes, plain: object) -> bytes:
        """Canonical JSON with secrets replaced; the same object, after one scan, if there are none.

        `canonical` must be the JSON of `plain`.
        """
        if not _JSON_SHOUTED.search(canonical) and not _JSON_SPOKEN.search(canonical.lower()):
            return canonical
        hidden = self.redact(plain)
        return canonical if hidden == plain else orjson.dumps(hidden, option=orjson.OPT_SORT_KEYS)

    def _settle(self, text: str) -> str:
        # A marker ends the word it stands in, which can lay a secret bare that was glued to it.
        for _ in range(_MAX_ROUNDS):
            hidden = self._hide(text)
            if hidden == text:
                break
            text = hidden
        return text

    def _hide(self, text: str) -> str:
        if "-----BEGIN" in text:
            text = hide_private_keys(text)
        for shape in self._shapes:
            text = shape.hide(text)
        return hide_assigned(text)

    def _value(self, value: object, depth: int) -> object:
        if type(value) is str:
            return self.redact_text(value)
        if depth > _MAX_DEPTH:
            return marker("too-deep")
        if type(value) is dict:
            return self._object(value, depth)
        if type(value) is list:
            return self._list(value, depth)
        kind = type(value)
        if value is None or kind is bool or kind is int or kind is float:
            return value
        return marker("not-json")

    def _object(self, given: dict[object, object], depth: int) -> dict[str, object]:
        hidden: dict[str, object] = {}
        clashes = 0
        # {"name": "password", "value": "…"}: form fields, headers, environment entries
        spoken = next((name for key in _NAMES if type(name := given.get(key)) is str), "")
        for key, value in given.items():
            name = key if type(key) is str else marker("not-json")
            shown = base = self.redact_text(name)
            said = sensitivity(self.redact_text(spoken)) if name == "value" else sensitivity(base)
            while shown in hidden or (shown != name and shown in given):
                clashes += 1
                shown = f"{base}#{clashes}"
            hidden[shown] = self._value(value, depth + 1) if said == "no" else self._named(value, said, depth)
        return hidden

    def _list(self, given: list[object], depth: int) -> list[object]:
        hidden: list[object] = []
        before: object = None
        for value in given:
            # ["--password", "…"] of a command, ["Authorization", "…"] of a header
            said: Sensitivity = "no"
            if type(before) is str and (before.startswith("-") or len(given) == _PAIR):
                said = "any" if before in _LOGINS and given[0] == "curl" else sensitivity(before)
            hidden.append(self._value(value, depth + 1) if said == "no" else self._named(value, said, depth))
            before = hidden[-1]
        return hidden

    def _named(self, value: object, said: Sensitivity, depth: int) -> object:
        """What stands under a sensitive name."""
        if value is None or type(value) is bool or (type(value) in {str, list, dict} and not value):
            return value
        if said == "text" and type(value) in {int, float}:
            return value
        if type(value) is str and MARKER.fullmatch(value):
            return value
        shown = self._value(value, depth + 1)
        return shown if type(shown) is str and MARKER.fullmatch(shown) else marker("secret")
