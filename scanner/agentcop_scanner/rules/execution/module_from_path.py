"""A module is loaded from a path or name that others choose.

## What it does
Follows text to `importlib.import_module`, `__import__`, `exec_module`, `runpy` and the like.

## Why is this bad?
Importing is running: whoever chooses the name or the file chooses the code. A plug-in folder below the working
directory is chosen by whoever wrote the repository that the agent was started in.

## Example
    spec = importlib.util.spec_from_file_location("plugin", config["plugin"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

## Use instead
    PLUGINS = {"search": "myagent.plugins.search"}
    module = importlib.import_module(PLUGINS[name])

## References
- https://cwe.mitre.org/data/definitions/829.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC107",
    slug="module-from-path",
    severity="HIGH",
    cwe=(829, 470),
    asi=(4, 5),
    doc=__doc__,
    danger="import",
    sinks=(
        Sink(calls=("importlib.import_module", "__import__", "importlib.__import__")),
        Sink(calls=("importlib.util.spec_from_file_location",), args=(1, "location")),
        Sink(
            calls=("runpy.run_path", "runpy.run_module", "imp.load_source", "importlib.machinery.SourceFileLoader"),
            args=(0, 1),
        ),
        Sink(calls=("pkgutil.resolve_name", "pydoc.locate", "django.utils.module_loading.import_string")),
    ),
    whole={
        **at("HIGH", "tool endpoint model request upload"),
        **at("MEDIUM", "content"),
        **at("LOW", "public unknown operator command"),
    },
    joined={
        **at("HIGH", "tool endpoint model request upload"),
        **at("MEDIUM", "content public"),
        **at("LOW", "unknown operator command"),
    },
    message="{source} chooses the module that {sink} loads",
    fix="Look the name up in a table of the modules that may be loaded.",
)
