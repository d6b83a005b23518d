"""A class or function is chosen by a name in data.

## What it does
Finds `getattr(importlib.import_module(...), name)` and the like where the name comes from data: a saved agent, a
request, a configuration.

## Why is this bad?
A module holds more than the classes that were meant: what it imported itself is there too. The name chooses among
all of it, and what it chooses is called.

## Example
    model_class = getattr(importlib.import_module("agents.models"), data["class"])
    return model_class(**data["arguments"])

## Use instead
    MODELS = {"chat": ChatModel, "completion": CompletionModel}
    return MODELS[data["class"]](**data["arguments"])

## References
- https://cwe.mitre.org/data/definitions/470.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC108",
    slug="class-by-name",
    severity="HIGH",
    cwe=(470,),
    asi=(5,),
    doc=__doc__,
    danger="import",
    sinks=(Sink(calls=("operator.attrgetter",), args=(0,)),),
    whole={**at("HIGH", "tool endpoint model request"), **at("MEDIUM", "public content")},
    joined={**at("HIGH", "tool endpoint model request"), **at("MEDIUM", "public content")},
    message="{source} chooses what {sink} takes out of a module",
    fix="Look the name up in a table of the classes that may be used.",
)
