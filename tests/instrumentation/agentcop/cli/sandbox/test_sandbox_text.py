"""What `agentcop sandbox check` shows: every fact of every box, what is wrong in words, nothing that a box draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop.cli.sandbox.text import print_text
from agentcop_processor.sandbox.boxes.probe import ALWAYS, readings
from agentcop_processor.sandbox.settings import Settings
from agentcop_processor.sandbox.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
