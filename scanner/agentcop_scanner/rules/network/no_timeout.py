"""Call in a tool that may wait for ever.

## What it does
Reports requests and commands in tools that have no timeout: `requests`, `urlopen`, `subprocess`.

## Why is this bad?
A server that accepts and never answers holds the tool, and with it the run, its budget and its place in the pool. Other
agents that wait for this one hang too.

## Example
```python
requests.get(url)
```

## Use instead
```python
requests.get(url, timeout=10)
```

## References
- CWE-400: https://cwe.mitre.org/data/definitions/400.html
- OWASP Top 10 for Agentic Applications, ASI08 Cascading Failures
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_WAITS: Final = tuple(
    sorted(
        words(
            "requests.get requests.post requests.put requests.patch requests.delete requests.head requests.request"
            " requests.options urllib.request.urlopen subprocess.run subprocess.call subprocess.check_call"
            " subprocess.check_output"
        )
    )
)


def _check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*_WAITS):
        named = {keyword.arg for keyword in call.keywords}
        if "timeout" in named or None in named or module.entry(call) != "tool":
            continue
        if module.resolve(call.func).endswith("urlopen") and len(call.args) > 2:  # noqa: PLR2004  # url, data, timeout
            continue
        message = f"{module.resolve(call.func)} in a tool has no timeout: it may wait for ever."
        yield module.finding(RULE, call, message, confidence="high", fix="Give it a timeout.")


RULE = PatternRule(
    id="AC135", slug="no-timeout", severity="LOW", cwe=(400,), asi=(8,), doc=__doc__, fixable=True, check=_check
)
