"""Boxes of Docker and Podman: what they see of the host, whose they are, and every way of getting none."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.containers.flags import container as flags
from agentcop_processor.sandbox.containers.found import found
from agentcop_processor.sandbox.containers.profile import profile_for
from agentcop_processor.sandbox.engine import EngineDown, Mount
from agentcop_processor.sandbox.engines.owner import LABEL
from engines import SETTINGS, box_of, container, is_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_processor.sandbox.containers.container import ContainerEngine

__all__ = ["container"]

pytestmark = pytest.mark.sandbox

WRITE = """
def tool(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return type(error).__name__
    return "written"
"""


def written(engine: ContainerEngine, path: str, mount: Mount) -> bytes:
    box = box_of(engine, WRITE, mounts=(mount,))
    try:
        return box.call(f'{{"args": ["{path}"], "kwargs": {{}}}}'.encode(), 30).result
    finally:
        box.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Open to everybody, with a file system of its own mounted below."""
    for each in (tmp_path / "open", tmp_path / "open" / "below"):
        each.mkdir()
        each.chmod(0o777)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", tmp_path / "open" / "below"], check=True)
    yield tmp_path / "open"
    subprocess.run(["umount", "-l", tmp_path / "open" / "below"], check=True)


def test_only_a_writable_mount_can_be_written_to(container: ContainerEngine, folder: Path) -> None:
    assert b"written" not in written(container, "/data/file", Mount(source=str(folder), target="/data"))
    assert not (folder / "file").exists()
    assert b"written" in written(container, "/data/file", Mount(source=str(folder), target="/data", writable=True))
    assert (folder / "file").exists()


def test_a_read_only_mount_is_read_only_below_as_well(container: ContainerEngine, folder: Path) -> None:
    assert b"written" not in written(container, "/data/below/file", Mount(source=str(folder), target="/data"))
    assert not (folder / "below" / "file").exists()


def test_no_mount_leads_to_an_engine(container: ContainerEngine, folder: Path) -> None:
    (folder / "link").symlink_to(container.socket)
    for source in (container.socket, str(Path(container.socket).parent), str(folder / "link"), "/"):
        with pytest.raises(EngineDown, match="socket"):
            container.start(SETTINGS, (Mount(source=source, target="/data"),))


def test_a_path_cannot_smuggle_in_options_of_a_mount(tmp_path: Path, container: ContainerEngine) -> None:
    evil = tmp_path / "a,ro=false"
    evil.mkdir()
    evil.chmod(0o777)
    mount = Mount(source=str(evil), target="/data")
    if container.name == "podman":
        with pytest.raises(EngineDown, match="comma"):
            container.start(SETTINGS, (mount,))
    else:
        assert b"written" not in written(container, "/data/file", mount)
    assert not (evil / "file").exists()


def test_there_is_no_box_without_its_image(container: ContainerEngine) -> None:
    with pytest.raises(
        EngineDown, match=r"has no image nobody/made:this: `agentcop sandbox build --tag nobody/made:this`"
    ):
        container.start(replace(SETTINGS, image="nobody/made:this"), ())


def test_a_pinned_image_is_the_only_one(container: ContainerEngine) -> None:
    known = container.image_id(SETTINGS.image)
    box_of(container, settings=replace(SETTINGS, image_digest=known)).close()
    with pytest.raises(EngineDown, match="image_digest pins"):
        container.start(replace(SETTINGS, image_digest="sha256:" + "0" * 64), ())


def test_an_engine_that_refuses_says_so_in_one_line_and_keeps_nothing(container: ContainerEngine) -> None:
    before = len(container.client().containers(all=True, filters={"label": LABEL}))
    with pytest.raises(EngineDown, match="did not start a box") as down:
        container.start(replace(SETTINGS, runtime="no-such-runtime"), ())
    assert "\n" not in str(down.value)
    assert len(container.client().containers(all=True, filters={"label": LABEL})) == before


def test_a_sweep_removes_the_boxes_of_the_dead_and_no_others(container: ContainerEngine) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from agentcop_processor.sandbox.engines.owner import owner; print(owner())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    boot, namespace, pid, began = ended.split(":")
    labels = {
        "of a dead process": ended,
        "of a process whose pid another has": f"{boot}:{namespace}:{os.getpid()}:1",
        "of this process": None,
        "of another pid namespace": f"{boot}:1:{pid}:{began}",
        "of another machine, a moment ago": f"other:{namespace}:{pid}:{began}",
        "of nobody we know": "hello",
    }
    made = {}
    for what, label in labels.items():
        config = flags(container.image_id(SETTINGS.image), SETTINGS, (), seccomp=profile_for(container.name))
        if label is not None:
            config["Labels"] = {LABEL: label}
        made[what] = container.client().create_container_from_config(config)["Id"]
    try:
        assert container.sweep() >= 2
        left = [what for what, box in made.items() if is_there(container, box)]
        assert left == list(labels)[2:]
    finally:
        for what in left:
            container.client().remove_container(made[what], force=True)


def test_an_engine_is_known_by_what_it_says_it_is(container: ContainerEngine) -> None:
    first = found({"DOCKER_HOST": f"unix://{container.socket}", "XDG_RUNTIME_DIR": "/nowhere"})[0]
    assert (first.name, first.socket) == (container.name, container.socket)
