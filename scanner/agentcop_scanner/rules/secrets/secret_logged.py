"""Secret in a log.

## What it does
Reports calls of a logger or of `print` that are given a value named as a secret (`access_token`, `api_key`,
`password`), whole or in part. Its length, its type, and what a masking function makes of it are left alone.

## Why is this bad?
Logs are kept longer, copied further and read by more people than what they are about. The first characters of a key
often tell whose it is, and a short token is guessed from its half.

## Example
```python
log.info("logged in with %s", access_token)
```

## Use instead
```python
log.info("logged in as %s", user_id)
```

## References
- CWE-532: https://cwe.mitre.org/data/definitions/532.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_core.redact.sensitive import sensitivity
from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_LEVELS: Final = words("debug info warning warn error exception critical log trace success notice")
_LOGGER: Final = re.compile(r"(?:^|[._])(?:log|logger|logging|loguru|_log|_logger|lgr)$", re.IGNORECASE)
_VAGUE: Final = words(
    "token tokens secret secrets pin otp jwt auth pass credentials creds credential cookie cookies key keys"
    " authorization"
)
"""Words that name other things as well: tokens of a text, a set of credentials."""
_HARMLESS: Final = words(
    "idempotency pagination page next continuation cursor cancel cancellation sync stop eos bos pad eof start"
    " end special"
    " first last previous current prev lex lexer parser unk mask sep cls image audio resume marker trigger"
)
"""Tokens that open nothing."""
_OTHER_KEYS: Final = words(
    "client_key session_key host_key account_key shared_key storage_key service_key app_key license_key"
)
"""As often the key of a mapping."""
_ABOUT: Final = words(
    "id ids name names count length hash digest hint label index idx prefix alias masked redacted ref arn"
)


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        if not _logs(module, call):
            continue
        for given in (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg != "exc_info")):
            name = _shown(given, 0)
            if name:
                message = f"{name[:60]} is written to {'the terminal' if _prints(call) else 'a log'}."
                yield module.finding(RULE, call, message, fix="Leave it out, or log who it belongs to.")
                break


def _prints(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name)


def _logs(module: Module, call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "print" and not any(keyword.arg == "file" for keyword in call.keywords)
    if isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS:
        owner = module.resolve(call.func.value)
        return bool(_LOGGER.search(owner)) or owner.startswith(("logging.getLogger", "structlog"))
    return False


def _shown(value: ast.expr, depth: int) -> str:
    """The name of the secret that a value shows; "" if it shows none."""
    if depth > 5:  # noqa: PLR2004  # deeper than anybody writes a log line
        return ""
    if isinstance(value, ast.Name):
        return value.id if _is_secret(value.id) else ""
    if isinstance(value, ast.Attribute):
        return value.attr if _is_secret(value.attr) else ""
    if isinstance(value, ast.Subscript):
        if isinstance(value.slice, ast.Slice):
            return _shown(value.value, depth + 1)
        key = value.slice.value if isinstance(value.slice, ast.Constant) else ""
        return key if isinstance(key, str) and _is_secret(key) else ""
    inner: list[ast.expr] = []
    if isinstance(value, ast.JoinedStr):
        inner = [part.value for part in value.values if isinstance(part, ast.FormattedValue)]
    elif isinstance(value, ast.BinOp):
        inner = [value.left, value.right]
    elif isinstance(value, ast.Tuple):
        inner = value.elts
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format":
        inner = [*value.args, *(keyword.value for keyword in value.keywords)]
    return next((name for part in inner if (name := _shown(part, depth + 1))), "")


def _is_secret(name: str) -> bool:
    lower = name.lower().strip("_")
    if name.isupper() and name.endswith(("_NAME", "_ENV", "_VAR", "_KEY_NAME", "_HEADER")):
        return False
    if lower in _VAGUE | _OTHER_KEYS or lower.partition("_")[0] in _HARMLESS or lower.rpartition("_")[2] in _ABOUT:
        return False
    # token_bytes is about a token: the end of the name must say that the value is the secret.
    return sensitivity(name) == "any" and sensitivity("_".join(lower.split("_")[-2:])) == "any" and _ends_well(lower)


def _ends_well(lower: str) -> bool:
    end = lower.rpartition("_")[2]
    return end in {"key", "keys"} or sensitivity(end) != "no"


RULE = PatternRule(id="AC173", slug="secret-logged", severity="MEDIUM", cwe=(532,), asi=(3,), doc=__doc__, check=_check)
