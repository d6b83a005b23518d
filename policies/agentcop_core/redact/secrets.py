"""Secrets that are known by their shape: vendors' keys, tokens, private keys, passwords in URLs and commands.

Patterns run on hostile text, so each is linear: it begins with a literal, repeats within bounds or possessively, and
never restarts inside what it has read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MARKER: Final = re.compile(r"\[redacted:[a-z-]{1,32}\]")


def marker(kind: str) -> str:
    """What stands in a secret's place; it never quotes what it replaces."""
    return f"[redacted:{kind}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of secret."""

    kind: str
    """Names it in the marker: lower-case letters and hyphens."""
    needle: str
    """A text without it cannot match `pattern`; tried first, because it is much cheaper."""
    pattern: re.Pattern[str]
    """Matches the secret; or, where it has a group, the group is the secret and the rest stays."""

    def hide(self, text: str) -> str:
        """`text` with every secret of this kind replaced."""
        if self.needle not in text:
            return text
        put = marker(self.kind)
        if self.pattern.groups == 0:
            return self.pattern.sub(put, text)
        return self.pattern.sub(lambda found: found[0][: found.start(1) - found.start()] + put + _rest(found), text)


def _rest(found: re.Match[str]) -> str:
    return found[0][found.end(1) - found.start() :]


def _shape(kind: str, needle: str, pattern: str) -> Shape:
    return Shape(kind=kind, needle=needle, pattern=re.compile(pattern))


_WORDLIKE: Final = r"[A-Za-z0-9_-]"
_SHORT: Final = r"""("[^"]{1,256}"|'[^']{1,256}'|[^\s"';|&]{1,256}+)"""


def _words(option: str) -> str:
    """The words of a command up to and including `option`, which is a pattern itself; at most 40 words before it."""
    # The group is not possessive: Debian 12's Python 3.11.2 then finds nothing. Each word is, so 40 steps back is all.
    return rf"(?:\s{{1,8}}+(?!{option})[^\s;|]{{1,400}}+){{0,40}}\s{{1,8}}+(?:{option})"


SHAPES: Final[tuple[Shape, ...]] = (
    *(_shape("aws-key", prefix, rf"{prefix}[A-Z0-9]{{16}}") for prefix in ("AKIA", "ASIA", "ABIA", "ACCA")),
    _shape("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}+"),
    *(_shape("github-token", f"gh{one}_", rf"gh{one}_[A-Za-z0-9]{{20,}}+") for one in "pousr"),
    _shape("gitlab-token", "gl", rf"gl(?:pat|ptt|dt|rt|cbt|soat|oas|ft|imt|agent|ffct)-{_WORDLIKE}{{16,}}+"),
    _shape("slack-token", "xox", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}+"),
    _shape("slack-token", "xapp-", r"xapp-[A-Za-z0-9-]{10,}+"),
    _shape("slack-webhook", "slack.com/", r"slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{8,}+)"),
    _shape("discord-webhook", "/api/webhooks/", r"/api/webhooks/([0-9]{5,30}+/[A-Za-z0-9_-]{20,}+)"),
    _shape("api-key", "sk-", rf"sk-(?<![A-Za-z0-9]sk-)(?:[a-z0-9]{{2,12}}-{_WORDLIKE}{{16,}}+|[A-Za-z0-9]{{20,}}+)"),
    _shape("stripe-key", "k_", r"k_(?<=[sr]k_)(?:live|test|org)_([A-Za-z0-9]{10,}+)"),
    _shape("stripe-key", "whsec_", r"whsec_[A-Za-z0-9+/=]{20,}+"),
    _shape("google-key", "AIza", rf"AIza{_WORDLIKE}{{35}}"),
    _shape("google-token", "ya29.", rf"ya29\.{_WORDLIKE}{{20,}}+"),
    _shape("google-secret", "GOCSPX-", rf"GOCSPX-{_WORDLIKE}{{20,}}+"),
    _shape("npm-token", "npm_", r"npm_[A-Za-z0-9]{30,}+"),
    _shape("pypi-token", "pypi-", rf"pypi-{_WORDLIKE}{{50,}}+"),
    _shape("huggingface-token", "hf_", r"hf_[A-Za-z0-9]{30,}+"),
    _shape("sendgrid-key", "SG.", rf"SG\.{_WORDLIKE}{{16,}}+\.{_WORDLIKE}{{16,}}+"),
    _shape("twilio-key", "SK", r"SK[0-9a-f]{32}"),
    _shape("telegram-token", ":AA", r":AA(?<=[0-9]{8}:AA)([A-Za-z0-9_-]{33})"),
    _shape("jwt", ".eyJ", r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{10,}+\.eyJ[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+)?"),
    _shape(
        "bearer-token",
        "earer",
        r"earer(?<=[Bb]earer)[ \t]{1,4}+(?=[A-Za-z]{0,64}+[0-9._~+/=-]|[A-Za-z]{16})([A-Za-z0-9._~+/=-]{8,}+)",
    ),
    _shape("url-password", "://", r"""://[^\s/?\#@:"'<>\\]{0,256}+:([^\s/?"'<>\\]{1,512})@"""),
    _shape(
        "password",
        "curl",
        rf"""curl{_words("-u|--user[ =]|--proxy-user[ =]")}[ =]{{0,4}}+["']?[^\s:"'@/]{{1,64}}+:{_SHORT}""",
    ),
    _shape("password", "mysql", rf"mysql[a-z_]{{0,16}}+{_words('-p')}{_SHORT}"),
    _shape("password", "sshpass", rf"sshpass\s{{1,8}}+-p\s{{0,8}}+{_SHORT}"),
)

_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def hide_private_keys(text: str) -> str:
    """Every PEM private key, from its first line to its last; to the end of the text where the last is missing."""
    kept: list[str] = []
    at = 0
    while begin := _PEM_BEGIN.search(text, at):
        kept += (text[at : begin.start()], marker("private-key"))
        end = _PEM_END.search(text, begin.end())
        at = end.end() if end else len(text)
    return "".join((*kept, text[at:])) if kept else text
