"""The JSON Schema of a policy file, generated from the models, for editors and for `docs/reference/policy.schema.json`.

`python -m agentcop_policies.schema` prints it. An editor that knows `# yaml-language-server: $schema=PATH` in a file's
first line checks and completes the file while it is written.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from typing import Any

from agentcop_policies.models import PolicyDocument
from agentcop_policies.reading.shape import adapter

_MODULES = ("agentcop_policies.models", "agentcop_policies.document.demands", "agentcop_policies.document.sections")


def policy_schema() -> dict[str, Any]:
    """The schema, draft 2020-12; every key carries its docstring as its description."""
    schema = adapter(PolicyDocument).json_schema(by_alias=True)
    descriptions = _descriptions()
    for name, section in (*schema["$defs"].items(), (PolicyDocument.__name__, schema)):
        for key, value in section.get("properties", {}).items():
            if text := descriptions.get((name, key)):
                value["description"] = text
            value.pop("title", None)
    _accept_written_forms(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "AgentCop policy"}


def text() -> str:
    """The schema as it is published."""
    return json.dumps(policy_schema(), indent=2, sort_keys=True) + "\n"


def _accept_written_forms(schema: dict[str, Any]) -> None:
    """What the loader takes beyond the model: 2.1 is a version, nothing is no value, `extends` may give the rest."""
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["extends"]}]
    version = schema["properties"]["version"]
    version["type"] = ["string", "number"]
    for section in (schema, *schema["$defs"].values()):
        for value in section.get("properties", {}).values():
            options = [option for option in value.get("anyOf", ()) if option != {"type": "null"}]
            if len(options) < len(value.get("anyOf", ())):
                value.pop("default", None)
                del value["anyOf"]
                value.update(options[0] if len(options) == 1 else {"anyOf": options})


def _descriptions() -> dict[tuple[str, str], str]:
    """(class, key) → the docstring under the field."""
    found: dict[tuple[str, str], str] = {}
    for module in _MODULES:
        source = inspect.getsource(importlib.import_module(module))
        for node in ast.parse(source).body:
            if not isinstance(node, ast.ClassDef):
                continue
            for field, doc in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(doc, ast.Expr)
                    and isinstance(doc.value, ast.Constant)
                ):
                    found[node.name, field.target.id.rstrip("_")] = str(doc.value.value)
    return found


if __name__ == "__main__":
    print(text(), end="")  # noqa: T201 -- its whole job
