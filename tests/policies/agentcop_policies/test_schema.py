"""The published JSON Schema is current, knows every key of the design's listing, and agrees with the loader."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from agentcop_policies import packs, parse_policy
from agentcop_policies.schema import policy_schema, text
from guide import listings

ROOT = Path(__file__).resolve().parents[3]
DESIGN = ROOT.parent / "shared/design/policy-and-gate.md"


def _errors(document: object) -> list[str]:
    return [error.message for error in Draft202012Validator(policy_schema()).iter_errors(document)]


def _listing() -> str:
    """Every key there is, as the design lists them."""
    if not DESIGN.is_file():
        reason = "the design is not at ../shared/design/policy-and-gate.md"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    found = re.search(r"```yaml\n(.*?)```", DESIGN.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def _keys(schema: dict[str, Any], section: dict[str, Any]) -> dict[str, Any]:
    """Key → what stands below it, through references, lists and alternatives."""
    if "$ref" in section:
        return _keys(schema, schema["$defs"][section["$ref"].rpartition("/")[2]])
    found = dict(section.get("properties", {}))
    for below in (*section.get("anyOf", ()), *([section["items"]] if "items" in section else ())):
        found |= _keys(schema, below)
    return found


def test_the_published_schema_is_current() -> None:
    published = (ROOT / "docs/reference/policy.schema.json").read_text(encoding="utf-8")

    assert published == text(), "run: python -m agentcop_policies.schema > docs/reference/policy.schema.json"


def test_it_is_a_schema_and_every_key_says_what_it_is() -> None:
    schema = policy_schema()
    Draft202012Validator.check_schema(schema)

    for name, section in (*schema["$defs"].items(), ("PolicyDocument", schema)):
        assert section["additionalProperties"] is False, name
        for key, value in section["properties"].items():
            assert value.get("description"), f"{name}.{key}"


def test_the_guides_policy_and_all_packs_are_valid_by_the_schema() -> None:
    [listing] = listings("yaml")
    texts = [listing, *(packs.text(name).decode() for name in packs.names())]

    assert [_errors(yaml.safe_load(document)) for document in texts] == [[]] * len(texts)


def test_the_designs_listing_loads_and_no_key_is_missing_on_either_side(tmp_path: Path) -> None:
    listing = _listing()
    (tmp_path / "base.yaml").write_text("gate: {default: block}\n", encoding="utf-8")
    loaded = parse_policy(listing, name="policy.yaml", folder=tmp_path)
    assert loaded.document.tests[0].because == "gate.require_approval[1]"

    schema = policy_schema()
    # ${…} inside braces is read by our loader, not by every reader of YAML.
    written = yaml.safe_load(re.sub(r"\$\{(\w+)\}", r'"$\1"', listing))
    assert _errors(written) == []
    assert set(written) == set(schema["properties"])
    for section in ("scan", "monitor", "gate", "approvals"):
        assert set(written[section]) == set(_keys(schema, schema["properties"][section])), section


@pytest.mark.parametrize(
    "document",
    [
        {"agent_id": "x"},
        {"agent_id": "x", "gate": {"alow": ["a"]}},
        {"agent_id": "x", "gate": {"allow": "a"}},
        {"agent_id": "x", "gate": {"allow": [{"tol": "a"}]}},
        {"agent_id": "x", "gate": {"allow": ["a"], "max_argument": "1TB"}},
        {"agent_id": "x", "gate": {"allow": ["a"]}, "scan": None},
        {"agent_id": "x", "gate": {"allow": ["a"]}, "mode": "enforced"},
    ],
)
def test_what_the_loader_refuses_for_its_shape_the_schema_refuses_too(document: object) -> None:
    assert _errors(document)


def test_a_file_that_extends_need_not_repeat_the_base() -> None:
    assert _errors({"extends": "base.yaml"}) == []
