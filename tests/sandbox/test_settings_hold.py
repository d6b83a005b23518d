"""What a policy's `sandbox` section says takes effect in real boxes of every engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import boxed_tools
from agentcop import AgentCop
from boxes import Engine, engine, mode, nothing_is_left
from engines import SETTINGS, box_of, container

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcop_processor.sandbox.containers.container import ContainerEngine

__all__ = ["container", "engine", "nothing_is_left"]

pytestmark = pytest.mark.sandbox


def tool(folder: Path, name: Engine, function: Callable[..., Any], more: str, agent: str = "a") -> Callable[..., Any]:
    file = folder / f"{agent}.yaml"
    section = f"{{mode: {mode(name)}, network: none, {more}}}"
    file.write_text(f"agent_id: {agent}\ngate: {{default: allow}}\nsandbox: {section}\n", encoding="utf-8")
    guarded: Callable[..., Any] = AgentCop(policy_file=file).tool(function)
    return guarded


def test_a_tool_sees_the_variables_that_are_named_and_no_others(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWN_TO_TOOLS", "yes")
    monkeypatch.setenv("HELD_BACK", "no")
    variable = tool(tmp_path, engine, boxed_tools.variable, "env: [SHOWN_TO_TOOLS]")
    assert [variable("SHOWN_TO_TOOLS"), variable("HELD_BACK")] == ["yes", None]


@pytest.mark.parametrize("access", ["", ":rw"])
def test_a_mount_is_read_only_unless_the_policy_says_otherwise(engine: Engine, tmp_path: Path, access: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    (data / "there").write_text("read", encoding="utf-8")
    mounts = f"mounts: ['./data:/data{access}']"
    assert tool(tmp_path, engine, boxed_tools.read, mounts)("/data/there") == "read"
    touch = tool(tmp_path, engine, boxed_tools.touch, mounts)
    if access:
        touch("/data/new")
    else:
        with pytest.raises(OSError, match="Read-only"):
            touch("/data/new")
    assert (data / "new").exists() == bool(access)


@pytest.mark.parametrize("reuse", ["never", "per_agent"])
def test_a_box_serves_a_second_call_only_where_the_policy_says_so_and_only_of_its_own_agent(
    engine: Engine, tmp_path: Path, reuse: str
) -> None:
    read = tool(tmp_path, engine, boxed_tools.read, f"reuse: {reuse}")
    other = tool(tmp_path, engine, boxed_tools.read, f"reuse: {reuse}", agent="b")
    boxes = [began(each("/proc/1/stat")) for each in (read, read, read, other)]
    assert (len(set(boxes[:3])) < 3) == (reuse == "per_agent")
    assert boxes[3] not in boxes[:3]


def test_a_box_that_cannot_be_cleaned_serves_no_second_call_and_the_next_gets_another(
    engine: Engine, tmp_path: Path
) -> None:
    shared_memory = tool(tmp_path, engine, boxed_tools.shared_memory, "reuse: per_agent")
    first = -1 if engine == "process" else 0  # there the system call filter forbids it; else the first piece of a box
    assert [shared_memory(key) for key in (1234, 1235, 1236)] == [first] * 3


def began(stat: str) -> str:
    """When the box's pid 1 began, which tells one box from another."""
    return stat.rpartition(")")[2].split()[19]


def test_a_container_gets_the_processors_that_the_policy_gives_it(container: ContainerEngine) -> None:
    box = box_of(container, settings=replace(SETTINGS, cpus=0.5))
    try:
        host = container.client().inspect_container(box.link.id)["HostConfig"]
    finally:
        box.close()
    assert host["NanoCpus"] == 500_000_000 or host["CpuQuota"] / host["CpuPeriod"] == 0.5
