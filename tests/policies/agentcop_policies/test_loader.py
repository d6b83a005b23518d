"""A policy file loads as printed in the guide, or is refused as a whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.errors import PolicyError
from agentcop_policies import Policy, load_policy, parse_policy
from agentcop_policies.casebook import run_cases
from guide import listings
from policytext import gate, policy, verdict


@pytest.mark.parametrize("name", ["policies/agent.yaml", "policies/production-agent.yaml"])
def test_the_guides_policy_loads_as_printed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [listing] = listings("yaml")
    (tmp_path / "policies").mkdir()
    (tmp_path / name).write_text(listing, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    loaded = load_policy(name)

    document = loaded.document
    assert (loaded.agent_id, loaded.version, document.environment) == ("production-agent", "2.1", "production")
    assert [rule.tool for rule in document.gate.block] == ["shell_execute", "delete_record", "access_auth_system"]
    assert document.gate.on_block == "raise_and_alert"
    assert document.gate.default == "block"
    assert document.monitor is not None
    assert document.monitor.alert_channels[0].webhook == "${SLACK_WEBHOOK}"
    assert loaded.at("gate.block[0]").startswith(f"{name}:")
    assert loaded.source == name
    assert loaded.files == (tmp_path / name,)
    # Nothing but what this build does not do yet is worth a warning.
    assert all("not in this build" in line for line in loaded.warnings), loaded.warnings


def test_the_guides_policy_blocks_by_name_and_says_where() -> None:
    [listing] = listings("yaml")
    loaded = parse_policy(listing, name="policies/agent.yaml", folder=Path("/nowhere"))

    got = verdict(loaded, "delete_record")

    assert (got.decision, got.rule, got.policy_version) == ("block", "gate.block[1]", "2.1")
    line = listing.splitlines().index("    - delete_record") + 1
    assert got.at == f"policies/agent.yaml:{line}:7"


@pytest.mark.parametrize(
    ("path", "problem"),
    [("none.yaml", "cannot read the policy: No such file or directory"), (".", "cannot read the policy: ")],
)
def test_a_file_that_cannot_be_read_is_a_policy_error(path: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=problem):
        load_policy(tmp_path / path)


def test_the_folder_of_conditions_is_the_files_never_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(
        "agent_id: x\ngate: {allow: [{tool: read, when: 'path.within(args.path, \"./data\")'}]}\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    loaded = load_policy("policies/p.yaml")
    monkeypatch.chdir("/")

    assert verdict(loaded, "read", {"path": str(tmp_path / "policies/data/a")}).decision == "allow"
    assert verdict(loaded, "read", {"path": str(tmp_path / "data/a")}).decision == "block"


def test_every_rule_knows_its_line() -> None:
    loaded = gate("allow:\n  - a\n  - {tool: b, when: 'args.x == 1'}\nblock: [c, d]\ndefault: require_approval")

    assert [loaded.at(rule) for rule in ("gate.allow[0]", "gate.allow[1]", "gate.block[1]", "gate.default")] == [
        "policy.yaml:4:7",
        "policy.yaml:5:7",
        "policy.yaml:6:14",
        "policy.yaml:7:3",
    ]
    assert gate("allow: [a]").at("gate.default") == "policy.yaml:2:1"
    assert loaded.at("gate.allow[7]") == ""


def test_unset_secrets_are_reported_only_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "agent_id: x\ngate: {allow: [a]}\nmonitor:\n  alert_channels:\n"
        "    - {type: webhook, url: ${URL}}\n    - {type: webhook, url: ${OTHER:-http://localhost}}\n",
        encoding="utf-8",
    )
    missing = f"{path}:5:28 ${{URL}} is not set in this environment"

    assert missing not in load_policy(path).warnings
    assert missing in load_policy(path, environ={}).warnings
    assert missing not in load_policy(path, environ={"URL": "https://x"}).warnings
    with pytest.raises(PolicyError) as caught:
        load_policy(path, environ={}, require_env=True)
    assert caught.value.problems == (missing,)


def test_secrets_stay_unexpanded_in_document_and_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "agent_id: x\ngate: {allow: [a]}\nmonitor: {alert_channels: [{type: webhook, url: '${URL}'}]}\n"
    before = policy(text)
    monkeypatch.setenv("URL", "https://secret.example")
    after = policy(text)

    assert after.document.monitor is not None
    assert after.document.monitor.alert_channels[0].url == "${URL}"
    assert after.digest == before.digest
    assert "secret.example" not in after.dump()


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(("", "a", "*", "${A}", "${", "1m", "args.x == 1", "\ud800", "\n", "block")),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(("tool", "when", "allow", "block", "type", "x")), below, max_size=3)
    ),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    (
        *("extends", "version", "environment", "mode", "scan", "monitor", "approvals", "sandbox", "tests", "x"),
        *("gate.default", "gate.allow", "gate.block", "gate.flows", "gate.limits", "gate.taint", "gate.results"),
    )
)


@given(st.dictionaries(_KEYS, _JSON, max_size=4))
def test_whatever_a_file_holds_it_loads_or_every_problem_is_one_line_with_a_place(values: dict[str, object]) -> None:
    document: dict[str, object] = {"agent_id": "x"}
    document["gate"] = {"allow": ["z"]} | {key[5:]: value for key, value in values.items() if key.startswith("gate.")}
    document |= {key: value for key, value in values.items() if not key.startswith("gate.")}
    loaded, found = _outcome(json.dumps(document))

    assert all(re.match(r"policy\.yaml:\d+:\d+ [^\n]+\Z", line) for line in found), found
    assert loaded is None or policy(loaded.dump()).document == loaded.document


def _outcome(text: str) -> tuple[Policy | None, tuple[str, ...]]:
    try:
        return policy(text), ()
    except PolicyError as error:
        return None, error.problems


def test_the_example_of_the_reference_page_loads_and_passes_its_test() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/reference/policy.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    loaded = policy(example, Path("/"))

    assert loaded.warnings == ()
    assert all(result.passed for result in run_cases(loaded, now=0.0))
