"""Which names say that what they name is a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from agentcop_core.redact.secrets import MARKER

Sensitivity = Literal["no", "text", "any", "line"]
"""`no`: an ordinary name. `text`: hides strings, not numbers (`pass: 3`). `any`: hides numbers too. `line`: in running
text, the secret reaches to the end of the line, as in an Authorization header."""

_MAX_NAME: Final = 256
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_ANY: Final = _words("""
    password passwords passwd passphrase passcode pwd secret secrets token apikey apikeys credential credentials creds
    cvv cvc pin pincode otp totp jwt
""")
_LINE: Final = frozenset({"authorization", "cookie", "cookies"})
_TEXT: Final = frozenset({"pass", "auth"})
_ENDINGS: Final = (
    *("password", "passwd", "passphrase", "secret", "token", "cookie"),
    *("apikey", "accesskey", "privatekey", "secretkey", "sessionkey", "signingkey"),
)
_KEYS: Final = _words("""
    api access account admin app auth client deploy encryption host license master private secret service session
    shared signing ssh storage
""")
_TOKENS: Final = _words("""
    access api auth bearer csrf id oauth refresh secret security session
""")
_ABOUT: Final = _words("""
    age at budget count counts enabled endpoint expiration expires expiry file filename hint in len length limit limits
    manager max min name names path policy remaining required scheme size status ttl type types url uri usage used
""")
"""A name that ends so speaks about a secret and does not hold it: `token_count`, `password_policy`."""
_AMOUNTS: Final = frozenset({"max", "min", "num", "total"})


def sensitivity(name: str) -> Sensitivity:
    """Judged word by word in snake, kebab, dotted and camel case: `author` and `max_tokens` are ordinary names."""
    if len(name) > _MAX_NAME:
        return "no"
    return _judge(MARKER.sub("", name) if "[redacted:" in name else name)


@lru_cache(maxsize=4096)
def _judge(name: str) -> Sensitivity:
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or words[0] in _AMOUNTS:
        return "no"
    if not _LINE.isdisjoint(words):
        return "line"
    if not _ANY.isdisjoint(words) or any(word.endswith(_ENDINGS) for word in words):
        return "any"
    for before, word in pairwise(words):
        if (word in {"key", "keys"} and before in _KEYS) or (word == "tokens" and before in _TOKENS):
            return "any"
    return "text" if words[-1] in _TEXT else "no"
