"""Tells keys and passwords from words, names, sequences and placeholders. Every function is linear in its text."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final

from agentcop_scanner.source.words import words

_CHUNK: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_VOWELS: Final = frozenset("aeiouyAEIOUY")
_LEAST: Final = 16
_MIN_BITS: Final = 3.0
_MIN_DISTINCT: Final = 8
_WORDY: Final = 0.55
_WORD_LENGTH: Final = 4
_CONSONANTS: Final = 4
_LONG_RUN: Final = 5
_FILLERS: Final = words(
    "example placeholder changeme change_me change-me dummy your_ your- yourkey yourapi yourtoken yoursecret"
    " insert replace redacted sample goes_here goes-here goeshere notreal not_real not-real fake foobar lorem"
    " xxxx **** .... 0000000 1111111 testkey test-key test_key testtoken test-token test_token mock abcdefgh"
    " 12345678 deadbeef todo secret-key secret_key secretkey my-secret my_secret mysecret supersecret"
    " super-secret super_secret hunter2"
)
_REFERENCE: Final = re.compile(
    r"[<{%\[]|\$[({A-Za-z_]|\.\.\.|…|://|^(?:[/~.#]|arn:|env:|vault:|op:|ref:|ssm:|file:|sha\d|data:|ssh-"
    r"|keyring:)|\\[sdwSDWb]|\(\?"
)
_PASSWORD_NAMES: Final = ("password", "passwd", "passphrase", "passcode", "pwd", "pass")


def entropy(text: str) -> float:
    """Bits of surprise a character, by the characters of the text itself."""
    if not text:
        return 0.0
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values())


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret that somebody is to put there, or refers to where it is kept."""
    lower = value.lower()
    return bool(_REFERENCE.search(value)) or any(filler in lower for filler in _FILLERS) or _is_sequence(value)


def looks_random(value: str) -> bool:
    """Whether a value of 16 characters or more is what a generator gives: no words, no names, no sequence."""
    if len(value) < _LEAST or len(set(value)) < _MIN_DISTINCT or entropy(value) < _MIN_BITS:
        return False
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isascii() and char.isalpha() for char in value)
    return digits > 1 and letters > 1 and digits + letters > len(value) * 0.7 and not _is_wordy(value)


def looks_like_password(name: str, value: str) -> bool:
    """Whether a value under a name of a password is one that a person would choose as a good one."""
    if any(char.isspace() for char in value) or not 8 <= len(value) <= 128:  # noqa: PLR2004  # bounds of passwords
        return False
    kinds = [any(map(str.isdigit, value)), any(map(str.islower, value)), any(map(str.isupper, value))]
    odd = any(not char.isalnum() and char not in "-_./:=" for char in value)
    named = any(part in name.lower() for part in _PASSWORD_NAMES)
    return all(kinds) and (odd or (named and len(value) >= 10 and not _is_wordy(value)))  # noqa: PLR2004  # a good one


def _is_wordy(value: str) -> bool:
    """Whether most of it is words."""
    wordy = sum(len(chunk) for chunk in _CHUNK.findall(value) if _is_word(chunk))
    return wordy > len(value) * _WORDY


def _is_word(chunk: str) -> bool:
    if len(chunk) < _WORD_LENGTH or not chunk.isalpha():
        return False
    run = 0
    for char in chunk:
        run = 0 if char in _VOWELS else run + 1
        if run > _CONSONANTS:
            return False
    return not _VOWELS.isdisjoint(chunk)


def _is_sequence(value: str) -> bool:
    """Whether it counts up or down, or repeats itself, for half of its length."""
    if len(value) < _LONG_RUN:
        return False
    codes = [ord(char) for char in value.lower()]
    steps = [after - before for before, after in pairwise(codes)]
    return sum(step in {0, 1, -1} for step in steps) > len(steps) / 2 or len(set(value)) <= 3  # noqa: PLR2004  # xyxy
