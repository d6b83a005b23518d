"""`extends` lays a file over another: lists add, this file's values hold, block wins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agentcop_core.errors import PolicyError
from agentcop_policies import load_policy
from policytext import verdict

if TYPE_CHECKING:
    from pathlib import Path

BASE = """\
agent_id: base
version: "7"
mode: observe
gate:
  default: require_approval
  allow: [read]
  block: ["delete_*"]
tests:
  - {call: {tool: read}, expect: allow}
"""


def _write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "child.yaml"


def _problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return caught.value.problems


def test_lists_add_own_items_first_and_single_values_of_the_child_hold(tmp_path: Path) -> None:
    child = "extends: base.yaml\nagent_id: child\nmode: enforce\ngate:\n  allow: [search]\n  default: block\n"
    policy = load_policy(_write(tmp_path, base=BASE, child=child))

    assert policy.agent_id == "child"
    assert policy.version == "7"
    assert policy.document.mode == "enforce"
    assert policy.document.extends is None
    assert [rule.tool for rule in policy.document.gate.allow] == ["search", "read"]
    assert verdict(policy, "unlisted").decision == "block"
    assert verdict(policy, "delete_all").decision == "block"


def test_a_rule_keeps_the_file_it_came_from(tmp_path: Path) -> None:
    child = "extends: base.yaml\ngate:\n  allow: [search]\n"
    path = _write(tmp_path, base=BASE, child=child)
    policy = load_policy(path)

    assert policy.at("gate.allow[0]") == f"{path}:3:11"
    assert policy.at("gate.allow[1]") == f"{tmp_path / 'base.yaml'}:6:11"
    assert policy.at("gate.default") == f"{tmp_path / 'base.yaml'}:5:3"
    assert [file.name for file in policy.files] == ["child.yaml", "base.yaml"]


def test_block_wins_across_files_with_a_note(tmp_path: Path) -> None:
    child = "extends: base.yaml\ngate:\n  allow: [delete_draft]\n  block: [read]\n"
    policy = load_policy(_write(tmp_path, base=BASE, child=child))

    assert verdict(policy, "delete_draft").decision == "block"
    assert verdict(policy, "read").decision == "block"
    notes = [line for line in policy.warnings if "note:" in line]
    assert len(notes) == 2
    assert 'child.yaml:3:11 note: gate.allow[0] "delete_draft" never matches' in notes[0]
    assert 'base.yaml:6:11 note: gate.allow[1] "read" never matches' in notes[1]


def test_a_section_that_may_stand_in_an_unreadable_base_is_not_called_missing(tmp_path: Path) -> None:
    path = _write(tmp_path, child="extends: pack:coding\nagent_id: x\n")
    assert _problems(path) == (f'{path}:1:10 no pack "coding"; did you mean "coding-agent"?',)


def test_tests_are_the_own_files_alone(tmp_path: Path) -> None:
    policy = load_policy(_write(tmp_path, base=BASE, child="extends: base.yaml\n"))

    assert policy.document.tests == ()


def test_problems_in_the_base_are_named_there(tmp_path: Path) -> None:
    base = "agent_id: base\ngate: {alow: [x], allow: [y]}\n"
    path = _write(tmp_path, base=base, child="extends: base.yaml\nmode: enforced\n")

    first, second = _problems(path)

    assert first.startswith(f"{path}:2:7 expected enforce or observe")
    assert second.startswith(f'{tmp_path / "base.yaml"}:2:8 unknown key "alow"')


@pytest.mark.parametrize(
    ("extends", "problem"),
    [
        ("none.yaml", '1:10 cannot read "none.yaml": No such file or directory'),
        ("child.yaml", '1:10 extends goes in a circle: "child.yaml" is on the way here already'),
        ("https://x.example/p.yaml", "1:10 extends names a file or pack:NAME; a policy is never fetched"),
        ("pack:minmal", '1:10 no pack "minmal"; did you mean "minimal"?'),
        ("pack:../models", '1:10 no pack "../models"; there are: coding-agent, customer-support, minimal'),
        ("[a]", "1:10 expected text, got a list"),
        (".", '1:10 cannot read ".": '),
        ('"a\\0b"', '1:10 cannot read "a\\u0000b": '),
        ('"\\ud800"', '1:10 cannot read "'),
    ],
)
def test_what_cannot_be_extended_is_a_problem_at_its_line(tmp_path: Path, extends: str, problem: str) -> None:
    path = _write(tmp_path, child=f"extends: {extends}\nagent_id: x\ngate: {{allow: [y]}}\n")

    assert any(line.startswith(f"{path}:{problem}") for line in _problems(path)), _problems(path)


def test_a_circle_over_two_files_and_a_chain_without_end_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, child="extends: base.yaml\n", base="extends: child.yaml\nagent_id: x\ngate: {allow: [y]}\n")
    assert any("extends goes in a circle" in line for line in _problems(path))

    for level in range(12):
        (tmp_path / f"l{level}.yaml").write_text(f"extends: l{level + 1}.yaml\n", encoding="utf-8")
    assert any("more than 8 files deep" in line for line in _problems(tmp_path / "l0.yaml"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")

    assert "not a regular file" in _problems(tmp_path / "pipe.yaml")[0]


def test_a_pack_starts_relative_paths_at_the_file_that_extends_it(tmp_path: Path) -> None:
    path = _write(tmp_path, child="extends: pack:coding-agent\nagent_id: mine\n")
    policy = load_policy(path)

    assert verdict(policy, "read_file", {"path": str(tmp_path / "a.py")}).decision == "allow"
    assert verdict(policy, "read_file", {"path": "/etc/passwd"}).decision == "require_approval"
    assert policy.at("gate.allow[0]").startswith("pack:coding-agent:")
