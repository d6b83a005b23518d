"""Model file that may run code when it is loaded.

## What it does
Reports loaders of models and arrays that unpickle what is in the file: `torch.load` without `weights_only=True`,
`numpy.load(allow_pickle=True)`, Keras with `safe_mode=False`.

## Why is this bad?
A pickle is a program. Whoever made or changed the file, on a model hub or a shared disk, runs it with your rights.

## Example
```python
state = torch.load("model.pt", weights_only=False)
```

## Use instead
```python
state = torch.load("model.pt", weights_only=True)
```
Or a format that holds nothing but numbers: safetensors.

## References
- CWE-502: https://cwe.mitre.org/data/definitions/502.html
- OWASP Top 10 for Agentic Applications, ASI04 Agentic Supply Chain
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_UNPICKLES: Final = words("np.load numpy.load numpy.lib.npyio.load pandas.read_pickle.allow")
_KERAS: Final = ("keras.", "tensorflow.keras.", "tf.keras.")
_UNSAFE: Final = ("enable_unsafe_deserialization", "keras.config.enable_unsafe_deserialization")


def _check(module: Module) -> Iterator[Finding]:
    for call in module.calls("torch.load"):
        given = module.argument(call, "weights_only")
        value = module.constant(given)
        if value is True or (given is not None and value is None) or any(item.arg is None for item in call.keywords):
            continue
        explicit = value is False
        yield module.finding(
            RULE,
            call,
            f"torch.load unpickles the file: weights_only is"
            f" {'off' if explicit else 'not said, and off before torch 2.6'}.",
            severity="HIGH" if explicit else "MEDIUM",
            confidence="high" if explicit else "medium",
            fix="Say weights_only=True.",
        )
    for call in module.calls(*sorted(_UNPICKLES)):
        if module.constant(module.argument(call, "allow_pickle", 2)) is True:
            yield module.finding(RULE, call, "numpy.load unpickles the file: allow_pickle is on.", confidence="high")
    yield from _keras(module)


def _keras(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        name = module.resolve(call.func)
        off = module.constant(module.argument(call, "safe_mode")) is False
        if off and (name.startswith(_KERAS) or name.rpartition(".")[2] in {"load_model", "model_from_json", "Lambda"}):
            message = "Keras runs the code that a model file holds: safe_mode is off."
            yield module.finding(RULE, call, message, confidence="high", fix="Leave safe_mode on.")
        elif name.endswith(_UNSAFE):
            yield module.finding(RULE, call, "Keras runs the code that any model file holds.", confidence="high")


RULE = PatternRule(
    id="AC162", slug="unsafe-model-load", severity="HIGH", cwe=(502,), asi=(4,), doc=__doc__, fixable=True, check=_check
)
