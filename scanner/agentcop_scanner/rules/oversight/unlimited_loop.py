"""Agent that may go on for ever.

## What it does
Reports limits that are taken away (`max_iterations=None`, `max_turns=None`) and endless loops that ask a model and can
end on nothing.

## Why is this bad?
A model that misunderstands a result asks again, and again. Without a limit that is a bill, a flood of calls on the
tools behind it, and a run that nobody ends.

## Example
```python
while True:
    reply = client.chat.completions.create(model=model, messages=messages)
```

## Use instead
```python
for _ in range(MAX_TURNS):
    reply = client.chat.completions.create(model=model, messages=messages)
```

## References
- CWE-835: https://cwe.mitre.org/data/definitions/835.html
- OWASP Top 10 for Agentic Applications, ASI08 Cascading Failures
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_LIMITS: Final = words("max_iterations max_turns max_steps recursion_limit max_iter max_rounds max_round")
_MAKERS: Final = re.compile(r"Agent|Executor|Runner|Crew|Team|GroupChat|Graph|invoke|run|stream", re.IGNORECASE)
_HUGE: Final = 10_000
_MODEL: Final = re.compile(r"(?:completions|messages|responses|chat)\.(?:create|complete)$|\.generate_content$")
_ENDS: Final = (ast.Break, ast.Return, ast.Raise)


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            if keyword.arg not in _LIMITS or not _MAKERS.search(module.resolve(call.func)):
                continue
            value = module.constant(keyword.value)
            no_limit = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
            if no_limit or (isinstance(value, int) and not isinstance(value, bool) and value >= _HUGE):
                yield module.finding(RULE, call, f"The agent has no limit: {keyword.arg}.", confidence="high")
    for loop in module.nodes.of(ast.While):
        if module.constant(loop.test) is not True or any(isinstance(node, _ENDS) for node in under(loop)):
            continue
        if any(isinstance(node, ast.Call) and _asks_model(module, node) for node in under(loop)):
            yield module.finding(RULE, loop, "The loop asks a model and can end on nothing.", confidence="high")


def _asks_model(module: Module, call: ast.Call) -> bool:
    return bool(_MODEL.search(module.resolve(call.func)))


RULE = PatternRule(id="AC192", slug="unlimited-loop", severity="LOW", cwe=(835,), asi=(8,), doc=__doc__, check=_check)
