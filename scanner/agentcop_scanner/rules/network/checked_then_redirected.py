"""An address is checked, and then another one may be fetched.

## What it does
Finds functions that check an address, and then fetch it with a client that follows redirects by itself.

## Why is this bad?
The server that passed the check answers with a redirect to `http://169.254.169.254/`, and the client goes there:
only the first address was looked at. A name that was resolved for the check may also have another address when it
is fetched.

## Example
    if not is_public(url):
        raise ValueError("not allowed")
    page = requests.get(url, timeout=10)

## Use instead
    if not is_public(url):
        raise ValueError("not allowed")
    page = requests.get(url, timeout=10, allow_redirects=False)  # check each Location before following it

## References
- https://cwe.mitre.org/data/definitions/367.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.callsite import name_words
from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_FOLLOWS = words(
    "requests.get requests.post requests.head requests.request requests.put urllib.request.urlopen"
    " requests.Session.get session.get self.session.get"
)
_HTTPX = words("httpx.get httpx.post httpx.stream httpx.request client.get self.client.get")
_CHECK_WORDS = words("private internal ssrf public safe allowed validate check loopback blocked")
_CHECK_THINGS = words("url uri host hostname ip address ssrf")


def _check(module: Module) -> Iterator[Finding]:
    checks = {
        scope.qualname
        for name, calls in module.called.items()
        if _checks_address(last(name))
        for call in calls
        if (scope := module.function(call)) is not None
    }
    for name in sorted((_FOLLOWS | _HTTPX) & set(module.called)):
        for call in module.called[name]:
            scope = module.function(call)
            if scope is None or scope.qualname not in checks or not call.args:
                continue
            if _follows(module, call, by_itself=name in _FOLLOWS) and module.constant(call.args[0]) is None:
                yield module.finding(RULE, call, "The address was checked; where it redirects to is not.")


def _checks_address(name: str) -> bool:
    words_of_it = name_words(name)
    return bool(words_of_it & _CHECK_WORDS) and bool(words_of_it & _CHECK_THINGS)


def _follows(module: Module, call: ast.Call, *, by_itself: bool) -> bool:
    said = module.argument(call, "allow_redirects" if by_itself else "follow_redirects")
    return by_itself if said is None else module.constant(said) is True


RULE = PatternRule(
    id="AC133",
    slug="checked-then-redirected",
    severity="MEDIUM",
    cwe=(367,),
    asi=(2,),
    doc=__doc__,
    check=_check,
)
