"""TLS certificates are not checked.

## What it does
Reports HTTP clients and TLS contexts whose check of the server's certificate is switched off: `verify=False`,
`ssl=False`, `CERT_NONE`, an unverified context.

## Why is this bad?
Anybody on the way can answer in the server's name. An agent acts on what it is answered: a page, a tool result, a
model's reply can then be written by somebody else, and the keys in the request are read along.

## Example
```python
requests.get(url, verify=False)
```

## Use instead
```python
requests.get(url, verify="/etc/ssl/certs/internal-ca.pem")
```

## References
- CWE-295: https://cwe.mitre.org/data/definitions/295.html
- OWASP Top 10 for Agentic Applications, ASI07 Insecure Inter-Agent Communication
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

_FIX: Final = "Leave the check on, and give the certificate of your own authority if there is one."
_CLEAR: Final = words("verify_ssl ssl_verify verify_certs verify_tls tls_verify ssl_verification validate_certs")
_CLIENTS: Final = words(
    "get post put patch delete head options request send stream Client AsyncClient Session ClientSession TCPConnector"
    " ws_connect urlopen websocket_connect connect create_connection HTTPTransport AsyncHTTPTransport"
)
_UNVERIFIED: Final = words("ssl._create_unverified_context ssl.SSLContext._create_unverified")
_WEB: Final = ("requests", "httpx", "aiohttp", "urllib3", "websockets", "niquests", "curl_cffi")


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        said = _argument(module, call)
        if said:
            yield module.finding(
                RULE, call, f"The server's certificate is not checked: {said}.", confidence="high", fix=_FIX
            )
        elif module.resolve(call.func) in _UNVERIFIED:
            message = "The server's certificate is not checked: an unverified context."
            yield module.finding(RULE, call, message, confidence="high", fix=_FIX)
    for assign in module.nodes.of(ast.Assign):
        for target in assign.targets:
            said = _assigned(module, target, assign.value) if isinstance(target, ast.Attribute) else ""
            if said:
                message = f"The server's certificate is not checked: {said}."
                yield module.finding(RULE, assign, message, confidence="high", fix=_FIX)


def _argument(module: Module, call: ast.Call) -> str:
    for keyword in call.keywords:
        off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg in _CLEAR and off:
            return f"{keyword.arg}=False"
        if keyword.arg in {"verify", "ssl"} and off and _is_client(module, call, keyword.arg):
            return f"{keyword.arg}=False"
        if keyword.arg == "cert_reqs" and (
            module.constant(keyword.value) == "CERT_NONE" or module.resolve(keyword.value) == "ssl.CERT_NONE"
        ):
            return "CERT_NONE"
    return ""


def _is_client(module: Module, call: ast.Call, name: str) -> bool:
    """`verify=False` also means other things, of a token or a checksum; `ssl=False` that TLS is not used at all."""
    resolved = module.resolve(call.func)
    called = resolved.rpartition(".")[2] or getattr(call.func, "attr", "")
    if resolved.startswith(_WEB):
        return called in _CLIENTS
    uses_web = any(imported.startswith(_WEB) for imported in module.imports.values())
    if name == "ssl":
        return uses_web and called in {"TCPConnector", "ws_connect", "get", "post", "request"}
    return uses_web and called in _CLIENTS


def _assigned(module: Module, target: ast.Attribute, value: ast.expr) -> str:
    if target.attr == "verify_mode" and module.resolve(value).endswith("CERT_NONE"):
        return "CERT_NONE"
    if target.attr == "_create_default_https_context" and module.resolve(value) in _UNVERIFIED:
        return "an unverified context is the default"
    off = isinstance(value, ast.Constant) and value.value is False
    owner = module.resolve(target.value).rpartition(".")[2].lower()
    return "verify = False" if target.attr == "verify" and off and ("session" in owner or "client" in owner) else ""


RULE = PatternRule(
    id="AC134", slug="tls-off", severity="HIGH", cwe=(295,), asi=(7,), doc=__doc__, fixable=True, check=_check
)
