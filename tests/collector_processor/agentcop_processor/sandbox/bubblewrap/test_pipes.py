"""The files of a pipe to a box are closed once: their numbers are others' afterwards."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.bubblewrap.pipes import PipeLink

if TYPE_CHECKING:
    from pathlib import Path

_PIPE = subprocess.PIPE


def _link() -> PipeLink:
    process = subprocess.Popen(["cat"], stdin=_PIPE, stdout=_PIPE, stderr=_PIPE, bufsize=0, start_new_session=True)
    return PipeLink(process)


def test_a_forked_child_that_lets_go_of_a_box_which_has_ended_closes_none_of_its_own_files(tmp_path: Path) -> None:
    link = _link()
    link.kill()
    own = [(tmp_path / str(number)).open("w") for number in range(8)]  # on the numbers that the box's files had
    link.abandon()  # as after a fork
    assert all(os.path.samestat(os.fstat(file.fileno()), os.stat(file.name)) for file in own)  # noqa: PTH116 -- by name
    for file in own:
        file.close()


def test_a_box_that_has_ended_is_not_asked_for_by_a_number_that_is_anothers(tmp_path: Path) -> None:
    link = _link()
    link.kill()
    with (tmp_path / "other").open("w"):
        assert not link.alive()
