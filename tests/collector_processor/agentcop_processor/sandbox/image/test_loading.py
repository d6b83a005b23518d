"""An engine has the image under its name, and the one that had the name before under its id."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.image import PLAIN_TAG, CannotBuild
from agentcop_processor.sandbox.image.archive import Built, write_archive
from agentcop_processor.sandbox.image.loading import load
from agentcop_processor.sandbox.image.skeleton import put_skeleton
from agentcop_processor.sandbox.image.tree import Text, Tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sandbox

TAG = "agentcop-test/loading:1"


@pytest.fixture(params=["TEST_DOCKER", "TEST_PODMAN"])
def socket(request: pytest.FixtureRequest) -> str:
    return os.environ[request.param].removeprefix("unix://")


def made(folder: Path, text: str) -> Built:
    tree = Tree()
    put_skeleton(tree)
    tree.put("etc/which", Text(data=text.encode()))
    return write_archive(tree, folder / f"{text}.tar", python="3.11.2", kind="plain")


def test_a_name_that_moves_on_leaves_the_image_that_policies_pin(socket: str, tmp_path: Path) -> None:
    from docker import APIClient

    one, other = made(tmp_path, "one"), made(tmp_path, "other")
    client = APIClient(base_url=f"unix://{socket}")
    try:
        load(socket, one, TAG)
        assert client.inspect_image(TAG)["Id"] == one.id
        load(socket, other, TAG)
        load(socket, other, TAG)
        assert client.inspect_image(TAG)["Id"] == other.id
        assert client.inspect_image(one.id)["Id"] == one.id
    finally:
        for each in (one, other):
            client.remove_image(each.id, force=True)
        client.close()


def test_an_archive_that_is_something_else_is_refused(socket: str, tmp_path: Path) -> None:
    one, other = made(tmp_path, "one"), made(tmp_path, "other")
    with pytest.raises(CannotBuild):
        load(socket, Built(path=one.path, id=other.id, size=1), TAG)


def test_a_socket_where_nobody_listens_is_exit_2_with_the_reason(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agentcop_processor.sandbox.image", f"unix://{tmp_path}/none.sock"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("the engine did not take the image: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_module_hands_the_plain_image_to_both_and_prints_its_id() -> None:
    from docker import APIClient

    urls = [os.environ["TEST_DOCKER"], os.environ["TEST_PODMAN"]]
    command = [sys.executable, "-m", "agentcop_processor.sandbox.image", *urls]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for url in urls:
        client = APIClient(base_url=url)
        assert client.inspect_image(PLAIN_TAG)["Id"] == done.stdout.strip()
        client.close()
