"""Calls of the standard library that check text, or make a copy of it that is harmless."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.patterns import Strength, begins_with_a_word, strength
from agentcop_scanner.engine.flow import guards
from agentcop_scanner.engine.values.value import (
    ALL,
    CONSTANT,
    NONE,
    WEAK,
    Facts,
    Marks,
    Value,
    cleared,
    combined,
    marked,
    weakened,
)
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.engine.calling.callsite import CallSite
    from agentcop_scanner.engine.flow.frame import Frame

_HARMLESS = words(
    "len int float bool complex ord hash id abs round sum min max range isinstance issubclass callable hasattr"
    " type divmod time.time time.monotonic time.perf_counter uuid.uuid4 uuid.uuid1 uuid.UUID datetime.datetime.now"
    " datetime.date.today datetime.datetime.fromisoformat datetime.date.fromisoformat ipaddress.ip_address"
    " ipaddress.ip_network os.path.exists os.path.isfile os.path.isdir os.path.islink os.path.getsize"
    " os.path.getmtime os.getpid os.getcwd hashlib.sha256 hashlib.sha1 hashlib.md5 hashlib.sha512 hashlib.blake2b"
    " secrets.token_hex secrets.token_urlsafe random.randint random.random decimal.Decimal fractions.Fraction"
    " zlib.crc32 inspect.signature"
)
_NUMBER_METHODS = words(
    "hexdigest digest count index find rfind bit_length timestamp isoformat total_seconds tell fileno"
)
_SURE = words("isalnum isalpha isdigit isdecimal isnumeric isidentifier")
_NUMBERS = words("int float bool complex UUID Decimal date datetime Enum IntEnum Number Real Integral")
_TEXTS = words("str bytes list dict tuple set Sequence Mapping Iterable object Path PurePath NoneType Callable")
_QUIET_CHECKS = words(
    "os.path.exists os.path.isfile os.path.isdir os.path.islink isinstance hasattr callable issubclass"
)


def known(frame: Frame, site: CallSite) -> Value | None:
    """The result of a call that checks or cleans; None if it is none of those."""
    cleaners = frame.world.tables.cleaners
    marks = cleaners.get(site.dotted) or (cleaners.get(f".{site.method}") if site.receiver is not None else None)
    if marks:
        return _cleaned(site, marks)
    handler = _FUNCTIONS.get(site.dotted)
    if handler is not None:
        return handler(frame, site)
    if site.dotted in _HARMLESS and site.callee.is_a.startswith("="):
        return _harmless(frame, site)
    if site.receiver is None:
        return None
    method = _METHODS.get(site.method)
    if method is not None and not site.receiver.is_a.startswith("="):
        return method(frame, site)
    return CONSTANT if site.method in _NUMBER_METHODS and site.method != "index" else None


def _cleaned(site: CallSite, marks: Marks) -> Value:
    """A harmless copy. Of the text that it was made of it shows nothing."""
    given = combined(site.everything())
    if site.receiver is not None and not site.receiver.is_a.startswith("=") and not given.taints:
        given = site.receiver
    return Value(marked(given, marks).taints, text=given.text)


def _harmless(frame: Frame, site: CallSite) -> Value:
    """A number or the like. What makes one of text raises for any other text."""
    name = last(site.dotted)
    if name in {"ip_address", "ip_network"}:
        return Value(site.first().taints, is_a="ip", facts=None)
    if name in {"int", "float", "UUID", "Decimal", "fromisoformat", "complex"}:
        frame.state.learn(guards.about(site.first(), ALL))
        return Value(is_a="number", facts=({}, {}))
    if site.dotted == "isinstance":
        return _is_instance(site)
    if (
        name in {"len", "min", "max", "abs", "sum", "round", "bool", "callable", "hasattr"}
        or site.dotted in _QUIET_CHECKS
    ):
        facts: tuple[Facts, Facts] = guards.outcome(site.first()) if name in {"bool", "len"} else ({}, {})
        return Value(is_a="number", facts=facts)
    return CONSTANT if site.dotted != "type" else Value(is_a="number", facts=({}, {}))


def _is_instance(site: CallSite) -> Value:
    subject = site.first()
    node = site.node.args[1] if len(site.node.args) > 1 else None
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    names = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in parts}
    if names and names <= _NUMBERS:
        return Value(is_a="bool", facts=(guards.about(subject, ALL), {}))
    if subject.is_a == "ast" and not names & _TEXTS:
        return Value(
            is_a="bool", facts=(guards.about(subject, weakened("code")), guards.about(subject, weakened("code")))
        )
    return Value(is_a="bool", facts=({}, {}))


def _starts_with(_frame: Frame, site: CallSite) -> Value:
    subject, given = site.receiver or CONSTANT, site.first()
    texts = [item.const for item in given.items] if given.items is not None else [given.const]
    known_texts = [text for text in texts if isinstance(text, str)]
    true: Facts = {}
    false: Facts = {}
    if known_texts and len(known_texts) == len(texts):
        if all(text in {"-", "--"} for text in known_texts):
            false = guards.about(subject, cleared("argument"))
        elif all(text in {"/", "\\", "~", "..", "../", "./", "."} for text in known_texts):
            false = guards.about(subject, weakened("path") | ({"#relative"} if "/" in known_texts else NONE))
        elif all("://" in text for text in known_texts):
            true = guards.about(subject, _url_prefix(known_texts))
        elif subject.is_a == "url:host":
            false = guards.about(subject, weakened("url"))
        elif all(text.startswith("/") for text in known_texts):
            true = guards.inside(subject, given, _base_prefix(site, given))
    elif given.taints or given.const is None:
        true = guards.inside(subject, given, _base_prefix(site, given))
    return Value(is_a="bool", facts=(true, false))


def _url_prefix(texts: list[str]) -> Marks:
    hosts = [text.partition("://")[2] for text in texts]
    if any(not host for host in hosts):
        return NONE  # a scheme says nothing of the host
    return cleared("url") if all("/" in host for host in hosts) else weakened("url") | {"#prefix"}


def _base_prefix(site: CallSite, given: Value) -> Marks:
    """What it shows that text begins with a value of the program's own: a folder or an address, with its end or not."""
    node = site.node.args[0] if site.node.args else None
    text = ast.unparse(node) if node is not None else ""
    ended = "sep" in text or text.rstrip("'\")").endswith("/") or given.text.endswith("/")
    if ended:
        return cleared("path") | weakened("url")
    return weakened("path", "url") | {"#prefix"}


def _ends_with(_frame: Frame, site: CallSite) -> Value:
    subject, given = site.receiver or CONSTANT, site.first()
    if subject.is_a == "url:host":
        texts = [item.const for item in given.items] if given.items is not None else [given.const]
        dotted = all(isinstance(text, str) and text.startswith(".") for text in texts) or given.text.startswith(".")
        strong = cleared("url") if dotted else weakened("url") | {"#prefix"}
        return Value(is_a="bool", facts=(guards.about(subject, strong), guards.about(subject, weakened("url"))))
    return Value(is_a="bool", facts=({}, {}))


def _sure(_frame: Frame, site: CallSite) -> Value:
    return Value(is_a="bool", facts=(guards.about(site.receiver or CONSTANT, ALL), {}))


def _relative(frame: Frame, site: CallSite) -> Value:
    """`is_relative_to`, and `relative_to`, which raises: the path is inside."""
    subject = site.receiver or CONSTANT
    facts: tuple[Facts, Facts] = (guards.inside(subject, site.first(), cleared("path")), {})
    if site.method == "is_relative_to":
        return Value(is_a="bool", facts=facts)
    frame.state.learn(facts[0])
    return Value(subject.taints, is_a="pathlib.Path", text=subject.text)


def _common_path(_frame: Frame, site: CallSite) -> Value:
    taints = site.first().taints if site.first().items is None else Value(site.first().taints).taints
    return Value(taints, is_a="commonpath")


def _is_absolute(_frame: Frame, site: CallSite) -> Value:
    subject = site.first() if site.dotted == "os.path.isabs" else site.receiver or CONSTANT
    return Value(is_a="bool", facts=({}, guards.about(subject, frozenset({"#relative"}))))


def _any(_frame: Frame, site: CallSite) -> Value:
    facts = site.first().facts or ({}, {})
    return Value(is_a="bool", facts=facts)


def _all(_frame: Frame, site: CallSite) -> Value:
    facts = site.first().facts or ({}, {})
    return Value(is_a="bool", facts=(facts[0], {}))


def _match_function(_frame: Frame, site: CallSite) -> Value:
    pattern, subject = site.argument(0, "pattern") or CONSTANT, site.argument(1, "string") or CONSTANT
    return _matched(last(site.dotted), pattern.const if isinstance(pattern.const, str) else pattern.text, subject)


def _match_method(_frame: Frame, site: CallSite) -> Value | None:
    receiver = site.receiver or CONSTANT
    if not site.args:
        return None
    if receiver.is_a == "re.Pattern":
        return _matched(site.method, receiver.text, site.first())
    if receiver.is_constant or site.method == "fullmatch":
        return _matched(site.method, "", site.first())
    # a pattern out of a list of patterns
    return _matched(site.method, "", site.first()) if site.method == "search" else None


def _matched(how: str, pattern: str, subject: Value) -> Value:
    """A match object, or nothing. What a pattern that is not known finds is allowed at best, forbidden at worst."""
    found = strength(pattern, how)
    aspect = guards.ASPECTS.get(subject.is_a, ALL)
    true: Marks = NONE
    if found is Strength.LETTERS:
        true = ALL
    elif found is Strength.NO_SLASH:
        true = cleared("path", "sql", "query", "shell", "argument", "code")
    elif found is Strength.SOME or how == "fullmatch":
        true = WEAK
    false = NONE if begins_with_a_word(pattern, how) else WEAK
    return Value(
        subject.taints,
        is_a="match",
        facts=(guards.about(subject, true & aspect), guards.about(subject, false & aspect)),
    )


def _sub(_frame: Frame, site: CallSite) -> Value:
    """`re.sub`: what is left when everything but a set of characters is taken out."""
    offset = 0 if site.dotted == "re.sub" else -1
    pattern = site.argument(0, "pattern") if offset == 0 else site.receiver
    subject = site.argument(2 + offset, "string") or CONSTANT
    given = pattern or CONSTANT
    text = given.const if isinstance(given.const, str) else given.text
    if strength(text, "sub") is Strength.LETTERS:
        return marked(subject, ALL)
    return marked(subject, WEAK - weakened("path", "shell", "code", "sql")) if subject.taints else CONSTANT


def _dns(_frame: Frame, site: CallSite) -> Value:
    return Value(site.first().taints, is_a="dns")


_FUNCTIONS: dict[str, Callable[[Frame, CallSite], Value | None]] = {
    "os.path.isabs": _is_absolute,
    "os.path.commonpath": _common_path,
    "os.path.commonprefix": _common_path,
    "any": _any,
    "all": _all,
    "re.match": _match_function,
    "re.fullmatch": _match_function,
    "re.search": _match_function,
    "re.sub": _sub,
    "socket.gethostbyname": _dns,
    "socket.getaddrinfo": _dns,
    "socket.gethostbyname_ex": _dns,
}
_METHODS: dict[str, Callable[[Frame, CallSite], Value | None]] = {
    "startswith": _starts_with,
    "endswith": _ends_with,
    "is_relative_to": _relative,
    "relative_to": _relative,
    "is_absolute": _is_absolute,
    "match": _match_method,
    "fullmatch": _match_method,
    "search": _match_method,
    **dict.fromkeys(_SURE, _sure),
}
