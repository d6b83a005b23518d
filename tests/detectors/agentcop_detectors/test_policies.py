"""A folder of policies: each agent's own, as it is now; a broken file keeps what it said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_detectors.policies import Policies

if TYPE_CHECKING:
    from pathlib import Path


def text(agent: str, tool: str = "search", more: str = "") -> str:
    return f"version: '1'\nagent_id: {agent}\ngate:\n  allow: [{tool}]\n{more}"


def read(folder: Path) -> Policies:
    policies = Policies(folder)
    policies.refresh()
    return policies


def digest(policies: Policies, agent: str) -> str:
    policy = policies.for_agent(agent)
    assert policy is not None
    return policy.digest


def test_each_agent_has_the_policy_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("billing"))
    (tmp_path / "b.yml").write_text(text("support", "reply"))
    (tmp_path / "notes.txt").write_text("no policy")

    policies = read(tmp_path)

    assert policies.problems == {}
    assert digest(policies, "billing") != digest(policies, "support")
    assert policies.for_agent("nobody") is None
    assert policies.knows(digest(policies, "billing"))
    assert not policies.knows("0" * 64)


def test_a_change_is_seen_and_what_was_stays_known(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text("billing"))
    policies = read(tmp_path)
    before = digest(policies, "billing")

    assert not policies.refresh()
    path.write_text(text("billing", "search_all"))
    assert policies.refresh()

    assert digest(policies, "billing") != before
    assert policies.knows(before)
    assert policies.knows(digest(policies, "billing"))


def test_a_broken_file_keeps_its_last_good_policy_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text("billing"))
    policies = read(tmp_path)
    before = digest(policies, "billing")

    path.write_text("gate: [")
    for _ in range(5):
        policies.refresh()

    assert digest(policies, "billing") == before
    assert list(policies.problems) == [str(path)]
    assert policies.broken == 1
    assert len([record for record in caplog.records if "cannot be used" in record.message]) == 1

    path.write_text(text("billing", "read"))
    policies.refresh()
    assert policies.problems == {}
    assert digest(policies, "billing") != before


def test_a_file_that_is_deleted_is_no_policy_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text("billing"))
    policies = read(tmp_path)
    before = digest(policies, "billing")
    path.unlink()

    assert policies.refresh()
    assert policies.for_agent("billing") is None
    assert policies.knows(before)


def test_a_file_that_another_extends_is_watched_too(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    base = tmp_path / "base.yaml"
    base.write_text("version: '1'\nagent_id: base\ngate:\n  allow: [search]\n")
    (folder / "a.yaml").write_text("extends: ../base.yaml\nagent_id: billing\n")
    policies = read(folder)
    assert policies.problems == {}
    before = digest(policies, "billing")

    base.write_text("version: '1'\nagent_id: base\ngate:\n  allow: [search, read]\n")

    assert policies.refresh()
    assert digest(policies, "billing") != before


def test_two_files_for_one_agent_are_a_problem_and_the_first_holds(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("billing"))
    (tmp_path / "b.yaml").write_text(text("billing", "pay"))

    policies = read(tmp_path)

    policy = policies.for_agent("billing")
    assert policy is not None
    assert policy.source == str(tmp_path / "a.yaml")
    assert policies.problems == {str(tmp_path / "b.yaml"): "is for the agent 'billing', as a.yaml is, which holds"}
    (tmp_path / "b.yaml").unlink()
    policies.refresh()
    assert policies.problems == {}


def test_a_stricter_sandbox_that_the_agent_was_started_with_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("billing", more="sandbox:\n  mode: process\n"))
    policies = read(tmp_path)
    policy = policies.for_agent("billing")
    assert policy is not None

    assert policies.knows(policy.with_sandbox_mode("container").digest)
    assert not policies.knows(policy.with_sandbox_mode("none").digest)


def test_digests_from_before_are_known_after_a_restart(tmp_path: Path) -> None:
    folder, earlier = tmp_path / "policies", tmp_path / "state" / "earlier.json"
    folder.mkdir()
    (folder / "a.yaml").write_text(text("billing"))
    policies = Policies(folder, earlier=earlier)
    policies.refresh()
    before = digest(policies, "billing")
    (folder / "a.yaml").write_text(text("billing", "read_all"))
    policies.refresh()

    again = Policies(folder, earlier=earlier)
    again.refresh()
    assert again.knows(before)
    earlier.write_text("{")
    spoiled = Policies(folder, earlier=earlier)
    spoiled.refresh()
    assert not spoiled.knows(before)
    assert spoiled.knows(digest(spoiled, "billing"))


@pytest.mark.parametrize("folder", [None, "missing"])
def test_without_a_folder_nothing_is_known_and_a_missing_one_is_a_problem(tmp_path: Path, folder: str | None) -> None:
    policies = Policies(tmp_path / folder if folder else None)

    assert not policies.refresh()
    assert policies.for_agent("billing") is None
    assert bool(policies.problems) is (folder is not None)
    assert policies.given is (folder is not None)
