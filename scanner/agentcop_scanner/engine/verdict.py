"""Which of the ways that text takes are findings, of which rule, and how bad."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.unit import MODULE
from agentcop_scanner.finding import SEVERITIES, Step
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.engine.program import Program
    from agentcop_scanner.engine.unit import Unit
    from agentcop_scanner.engine.values.summary import Hit
    from agentcop_scanner.engine.values.value import Origin
    from agentcop_scanner.finding import Confidence, Finding, Reach, Severity
    from agentcop_scanner.rule import Source, TaintRule
    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Scope

_GIVEN_BY_FRAMEWORK = words(
    "Context RunContext ToolContext Depends Session AsyncSession BackgroundTasks Response Agent RunContextWrapper"
    " CallbackManagerForToolRun AsyncCallbackManagerForToolRun CallbackManager ToolRuntime InvocationContext"
    " Config RunnableConfig AgentState ServicerContext ModelSettings Logger Settings Principal User CurrentUser"
)
_INJECTED = (
    "Session",
    "System",
    "Context",
    "Client",
    "Manager",
    "Service",
    "State",
    "Store",
    "Registry",
    "LLM",
    "Model",
    "Agent",
    "Runtime",
    "Config",
    "Settings",
    "Connection",
    "Pool",
    "Engine",
    "Handler",
    "Provider",
    "Backend",
    "Driver",
)
"""How classes end whose objects the framework hands to a tool: no model writes them."""
_CONSTRUCTORS = words("__init__ __new__ __post_init__ model_post_init __init_subclass__")
"""Whoever builds an object sets it up; what it is used with comes later."""
_OF_THE_LANGUAGE = words("__getattr__ __getattribute__ __delattr__ __dir__")
"""Called with names that stand in the program's own source."""
_TOOL_TYPES = ("Tool", "ToolCall", "ToolMessage", "ToolInput", "ToolArgs", "ToolUse")
_WORDS: dict[str, str] = {
    "tool": "an argument of the tool",
    "endpoint": "an argument of the endpoint",
    "command": "an argument of the command",
    "public": "an argument of",
}


def findings(program: Program, module: Module, level: int) -> list[Finding]:
    """What text can do in a module that it should not."""
    unit = program.unit(module)
    best: dict[tuple[object, ...], tuple[int, Finding]] = {}
    for name, worth in program.interesting(unit, level).items():
        if not worth:
            continue
        program.settle(unit, name, level)
        summary = program.summarised(unit, name, level)
        for hit in summary.hits if summary else ():
            made = _finding(program, unit, hit)
            if made is None:
                continue
            rank = SEVERITIES.index(made.severity) * 10 + ("high", "medium", "low").index(made.confidence)
            key = (hit.rule.shares or hit.rule.id, made.place.line, made.place.col)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, made)
    return [found for _, found in best.values()]


def _finding(program: Program, unit: Unit, hit: Hit) -> Finding | None:
    if hit.module is not unit.module:
        return None
    source = _source(unit, hit.origin)
    if source is None:
        return None
    weak = f"~{hit.rule.danger}" in hit.marks
    rule, severity = _judged(program, hit, source, weak=weak)
    if rule is None or severity is None:
        return None
    confidence: Confidence = "high" if source in {"tool", "endpoint", "model", "request", "upload"} else "medium"
    if source in {"unknown", "operator", "command", "self"}:
        confidence = "low"
    if hit.opted_in or (weak and rule.weak in {"", "#identifier"}):
        severity, confidence = "LOW", "low"
    said = _said(hit.origin, source)
    # a public function that merely passes it on is not where it went wrong; where a command is put together is
    moved = hit.via is not None and confidence == "high" and hit.rule.danger != "argument"
    node = hit.via if hit.via is not None and moved else hit.node
    return unit.module.finding(
        rule,
        node,
        rule.message.format(source=said, sink=hit.sink),
        severity=severity,
        confidence=confidence,
        reach=_reach(unit, hit, source),
        trace=_trace(unit, hit, said),
        fix=rule.fix,
    )


def _judged(program: Program, hit: Hit, source: Source, *, weak: bool) -> tuple[TaintRule | None, Severity | None]:
    """The rule that counts this source here, and how much it counts."""
    for rule in program.tables.followers.get(hit.rule.shares or hit.rule.id, ()):
        if rule.weak == "any" and not weak:
            continue
        if rule.weak.startswith("#") and rule.weak not in hit.marks:
            continue
        levels = rule.joined if hit.joined else rule.whole
        if source in levels:
            return rule, levels[source]
    return None, None


def _source(unit: Unit, origin: Origin) -> Source | None:
    """What an origin counts as; None if only the callers can tell."""
    if origin.kind == "param":
        return _of_parameter(unit, origin)
    return origin.kind


def _of_parameter(unit: Unit, origin: Origin) -> Source | None:  # noqa: PLR0911  # one way out for each source
    scope = unit.module.scopes.functions.get(origin.function)
    if scope is None or isinstance(scope.node, ast.ClassDef):
        return "unknown"
    name = origin.name
    arg = next((arg for arg in _all_arguments(scope) if arg.arg == name), None)
    annotation = unit.annotation(arg.annotation) if arg is not None else ""
    entry = unit.module.entries.get(scope.qualname)
    if last(annotation) in _GIVEN_BY_FRAMEWORK or (entry == "tool" and last(annotation).endswith(_INJECTED)):
        return "self"
    if entry == "endpoint" and _injected(scope, name):
        return "public"
    if last(annotation) in {"Request", "WebSocket", "HttpRequest"}:
        return "request"
    if last(annotation) in {"UploadFile", "FileStorage"}:
        return "request"
    if entry is not None:
        return entry
    if last(annotation).endswith(_TOOL_TYPES) and origin.fields:
        return "tool"
    return _by_name(unit, scope)


def _by_name(unit: Unit, scope: Scope) -> Source | None:
    parts = scope.qualname.split(".")
    if scope.parent is not None and scope.parent.is_function:
        return None if _called_inside(unit, scope) else "unknown"
    if scope.node.name in _CONSTRUCTORS or scope.node.name in _OF_THE_LANGUAGE:
        return "operator"
    private = [part for part in parts if part.startswith("_") and not (part.startswith("__") and part.endswith("__"))]
    if not private:
        return "public"
    called = any(scope.qualname in targets for name, targets in unit.edges.items() if name != scope.qualname)
    # what nothing here calls is called from elsewhere: a private name keeps nobody out
    return None if called else "public"


def _called_inside(unit: Unit, scope: Scope) -> bool:
    return any(
        isinstance(call.func, ast.Name) and call.func.id == scope.node.name for call in unit.module.nodes.of(ast.Call)
    )


def _all_arguments(scope: Scope) -> list[ast.arg]:
    if isinstance(scope.node, ast.ClassDef):
        return []
    args = scope.node.args
    found = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return found + [rest for rest in (args.vararg, args.kwarg) if rest is not None]


def _injected(scope: Scope, name: str) -> bool:
    """Whether an endpoint's parameter is given by the framework: `user = Depends(…)`."""
    if isinstance(scope.node, ast.ClassDef):
        return False
    args = scope.node.args
    ordered = [*args.posonlyargs, *args.args]
    pairs = [
        *zip(ordered[len(ordered) - len(args.defaults) :], args.defaults, strict=True),
        *zip(args.kwonlyargs, args.kw_defaults, strict=True),
    ]
    return any(
        arg.arg == name
        and isinstance(default, ast.Call)
        and ast.unparse(default.func).endswith(("Depends", "Security"))
        for arg, default in pairs
    )


def _said(origin: Origin, source: Source) -> str:
    """The origin, for a reader."""
    if origin.kind == "param":
        owner = origin.function.rpartition(".")[2] if origin.function else "the module"
        return f"{origin.shown}, {_WORDS.get(source, 'an argument of')} {owner},"
    if origin.kind == "unknown":
        return "text that is not constant"
    if origin.kind == "self":
        return f"{origin.shown}"
    if origin.kind == "model":
        return f"text of a model, {origin.shown},"
    if origin.kind == "operator":
        return f"text of the operator, {origin.shown},"
    return f"untrusted text, {origin.shown},"


def _reach(unit: Unit, hit: Hit, source: Source) -> Reach:
    if source in {"tool", "endpoint", "model", "request", "upload"}:
        return "tool"
    return unit.module.reach(hit.node)


def _trace(unit: Unit, hit: Hit, said: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    if hit.origin.line:
        line = ast.Pass(lineno=hit.origin.line, col_offset=0, end_lineno=hit.origin.line, end_col_offset=0)
        place = unit.module.place(line)
        steps.append(Step(path=unit.module.path, place=place, what=said.rstrip(",")))
    return (*steps, *hit.trail, hit.end)


__all__ = ["MODULE", "findings"]
