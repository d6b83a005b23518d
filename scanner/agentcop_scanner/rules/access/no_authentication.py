"""Endpoint that runs an agent or code for anybody.

## What it does
Looks at endpoints (FastAPI, Flask, Starlette …) that take a body and hand it to an agent, a tool, or to code that runs:
and reports those where no dependency, decorator, middleware or line of the body asks who is calling. Also reports a
switch like `AUTH_ENABLED = False`.

## Why is this bad?
Whoever reaches the port spends your model's budget and acts with the agent's rights. Several agent platforms were taken
over through exactly one such endpoint.

## Example
```python
@app.post("/run")
async def run(body: dict):
    return await executor.ainvoke(body["input"])
```

## Use instead
```python
@app.post("/run")
async def run(body: dict, user: Annotated[User, Depends(current_user)]):
    return await executor.ainvoke(body["input"])
```

## References
- CWE-306: https://cwe.mitre.org/data/definitions/306.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.endpoints import unguarded
from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_AGENT: Final = re.compile(
    r"agent|executor|graph|crew|chain|workflow|assistant|team|swarm|runner|orchestrat|pipeline", re.IGNORECASE
)
_RUNS: Final = words(
    "invoke ainvoke run arun run_sync run_async stream astream run_stream kickoff kickoff_async execute"
    " aexecute chat achat"
    " initiate_chat a_initiate_chat step run_streamed call_tool execute_tool"
)
_CODE: Final = words(
    "exec eval os.system subprocess.run subprocess.Popen subprocess.check_output subprocess.call"
    " asyncio.create_subprocess_shell asyncio.create_subprocess_exec compile"
    " pty.fork pty.spawn os.execv os.execve os.execvp os.execvpe"
)
_CODE_NAMES: Final = re.compile(
    r"(?:^|_)(?:run|execute|exec|eval|validate|compile|build|install|create)_(?:code|python|script|shell"
    r"|command|cmd|tool|flow|plugin|agent|component)s?$"
    r"|^(?:run|execute)_(?:agent|graph|crew|workflow|task)\w{0,20}$"
)
_SWITCH: Final = re.compile(
    r"(?:[A-Z]+_)?(?:AUTH|AUTHENTICATION|AUTHORIZATION|LOGIN)_(?:ENABLED|REQUIRED)|(?:REQUIRE|ENABLE)_(?:AUTH"
    r"|AUTHENTICATION|LOGIN)"
)


def _check(module: Module) -> Iterator[Finding]:
    for node in unguarded(module):
        call = next((inner for inner in under(node) if isinstance(inner, ast.Call) and _acts(module, inner)), None)
        if call is not None:
            name = module.resolve(call.func) or getattr(call.func, "attr", "code")
            message = f"Anybody who reaches this endpoint has {name[:60]} run: nothing here asks who is calling."
            yield module.finding(RULE, node, message, reach="tool")
    for name, value in module.assigned.items():
        if _SWITCH.fullmatch(name) and module.constant(value) is False:
            yield module.finding(RULE, value, f"{name} is off: anybody may use the service.", confidence="medium")


def _acts(module: Module, call: ast.Call) -> bool:
    name = module.resolve(call.func)
    if name in _CODE or _CODE_NAMES.search(name.rpartition(".")[2]):
        return True
    if isinstance(call.func, ast.Attribute) and call.func.attr in _RUNS:
        return bool(_AGENT.search(module.resolve(call.func.value)))
    return False


RULE = PatternRule(
    id="AC181", slug="no-authentication", severity="HIGH", cwe=(306,), asi=(3,), doc=__doc__, check=_check
)
