"""Code from a model hub is trusted.

## What it does
Reports `trust_remote_code=True`.

## Why is this bad?
The loader then downloads Python files beside the weights and runs them. Without a fixed revision, what they are can
change between two starts.

## Example
```python
AutoModel.from_pretrained("acme/model", trust_remote_code=True)
```

## Use instead
```python
AutoModel.from_pretrained("acme/model")
```
If the model's own code is needed, read it, and fix the revision you read: `revision="<commit>"`.

## References
- CWE-829: https://cwe.mitre.org/data/definitions/829.html
- OWASP Top 10 for Agentic Applications, ASI04 Agentic Supply Chain
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        if module.constant(module.argument(call, "trust_remote_code")) is True:
            message = "Python code from the model hub is run: trust_remote_code is on."
            yield module.finding(RULE, call, message, confidence="high", fix="Leave it off.")
    for mapping in module.nodes.of(ast.Dict):
        for key, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "trust_remote_code" and module.constant(value) is True:
                message = "Python code from the model hub is run: trust_remote_code is on."
                yield module.finding(RULE, value, message, fix="Leave it off.")


RULE = PatternRule(
    id="AC163", slug="remote-code", severity="MEDIUM", cwe=(829,), asi=(4,), doc=__doc__, fixable=True, check=_check
)
