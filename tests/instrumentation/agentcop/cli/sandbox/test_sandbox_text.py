"""What `agentcop sandbox check` shows: every fact of every box, what is wrong in words, nothing that a box draws."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop.cli.sandbox.text import print_text
from agentcop_processor.sandbox.boxes.probe import ALWAYS, readings
from agentcop_processor.sandbox.bubblewrap.limits import weaker
from agentcop_processor.sandbox.containers import found as containers
from agentcop_processor.sandbox.settings import Settings
from agentcop_processor.sandbox.trial import Trial, try_mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pytest

EXPECTED: Mapping[str, object] = {"memory": 268_435_456}
GOOD: Mapping[str, object] = {**ALWAYS, **EXPECTED}
IMAGE = f"sha256:{'a' * 64}"


def trial(engine: str, facts: Mapping[str, object]) -> Trial:
    read = readings(facts, EXPECTED)
    return Trial(engine=engine, facts=read, why="; ".join(each.miss for each in read if each.miss), ms=4.2, image=IMAGE)


def shown(capsys: pytest.CaptureFixture[str], trials: Sequence[Trial], by: Sequence[str], pin: str = "") -> list[str]:
    print_text(trials, "container", by, Settings(image_digest=pin))
    return capsys.readouterr().out.splitlines()


def line(lines: Sequence[str], label: str) -> list[str]:
    (found,) = (each.split() for each in lines if each.startswith(label))
    return found[len(label.split()) :]


def test_each_engine_has_a_column_and_each_fact_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, [trial("docker", GOOD), trial("podman", {**GOOD, "memory": None})], ["docker"])
    assert lines[0].split() == ["asked", "docker", "podman"]
    assert line(lines, "memory limit") == ["256", "MiB", "ok", "MISS"]
    assert line(lines, "system call filter") == ["on", "ok", "ok"]
    assert line(lines, "a call") == ["4", "ms", "not", "made"]
    miss = "memory limit: 256 MiB was asked for, the box has none (rootless Podman on cgroup v1 ignores limits)"
    assert f"podman  MISS  {miss}" in lines
    assert lines[-1] == "holds: mode container, on docker"


def test_an_engine_without_a_box_says_why_and_has_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    down = Trial(engine="podman", facts=(), why="podman has no image x: `agentcop sandbox build` makes it")
    lines = shown(capsys, [trial("docker", GOOD), down], ["docker"])
    assert lines[0].split() == ["asked", "docker"]
    assert "podman  no box  podman has no image x: `agentcop sandbox build` makes it" in lines


def test_no_engine_is_a_sentence_the_ways_out_and_each_place_that_was_tried_on_lines_of_their_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "places", lambda environ: iter([(f"{tmp_path}/no.sock", "")]))
    (trial,) = try_mode("container", Settings(network="none"), tmp_path)
    lines = [each.strip() for each in shown(capsys, [trial], [])]
    assert lines == [
        "container  no box  no container engine answers",
        "way out: apt-get install docker.io",
        f"or apt-get install podman, and systemctl {'' if os.geteuid() == 0 else '--user '}start podman.socket",
        "or `mode: process` in the policy, and apt-get install bubblewrap",
        f"tried {tmp_path}/no.sock: not there",
        "DOES NOT HOLD: mode container: calls that need a box are refused",
    ]
    assert trial.why.startswith("no container engine answers: apt-get install docker.io, or ")
    assert trial.why.endswith(f". Tried: {tmp_path}/no.sock: not there")


def test_where_a_box_without_a_cgroup_is_weaker_stands_in_its_column_and_in_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = readings(ALWAYS, {})
    spare = Trial(engine="process", facts=without, why="", ms=1.0, weaker=tuple(weaker(Settings(), {"landlock": None})))
    lines = shown(capsys, [trial("docker", GOOD), spare], ["docker"])
    assert line(lines, "memory limit") == ["256", "MiB", "ok", "weaker"]
    assert any(each.startswith("process  weaker  memory: no cgroup; 256 MiB a process") for each in lines)
    assert any("cpus: not limited" in each for each in lines)
    assert any("this kernel has no landlock" in each for each in lines)


def test_the_other_engine_is_named_with_what_to_install_and_none_is_where_none_is_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert any("apt-get install podman" in each for each in shown(capsys, [trial("docker", GOOD)], ["docker"]))
    assert not any("apt-get" in each for each in shown(capsys, [trial("process", GOOD)], []))


def test_the_image_is_named_with_whether_it_is_the_pinned_one(capsys: pytest.CaptureFixture[str]) -> None:
    both = [trial("docker", GOOD), trial("podman", GOOD)]
    said = f"docker, podman: {Settings().image} is {IMAGE[:19]}, "
    assert f"{said}not pinned" in shown(capsys, both, [])
    assert f"{said}pinned" in shown(capsys, both, [], IMAGE)
    assert f"{said}and another is pinned" in shown(capsys, both, [], "sha256:0")


def test_what_a_box_says_cannot_drive_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, [trial("docker", {**GOOD, "cap_eff": "\x1b[2J\nholds: mode container"})], [])
    assert not any("\x1b" in each for each in lines)
    assert not any(each.startswith("holds") for each in lines)
    assert lines[-1].startswith("DOES NOT HOLD")


def test_a_fallback_is_offered_where_no_engine_is_and_never_for_a_box_that_does_not_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spare = Trial(engine="process", facts=readings(ALWAYS, {}), why="")
    absent = Trial(engine="container", facts=(), why="no container engine answers")
    assert "and so would `fallback: process`" in shown(capsys, [absent, spare], [])[-1]
    assert shown(capsys, [replace(absent, wrong=True), spare], [])[-1] == "`mode: process` would hold here"
