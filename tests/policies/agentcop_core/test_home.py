"""Where state lives: one place for a machine's agents, whatever folder they start from."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentcop_core.home import ensure_state_folder, make_private, state_folder


def test_what_is_missing_above_a_folder_is_for_its_owner_alone_too(tmp_path: Path) -> None:
    make_private(tmp_path / "state" / "agentcop" / "spool")

    made = [tmp_path / "state", tmp_path / "state/agentcop", tmp_path / "state/agentcop/spool"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 3


def test_the_environment_chooses_first(tmp_path: Path) -> None:
    assert state_folder({"AGENTCOP_HOME": str(tmp_path), "XDG_STATE_HOME": "/elsewhere"}) == tmp_path


def test_the_state_home_of_the_user_comes_next(tmp_path: Path) -> None:
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "agentcop"


def test_the_default_is_in_the_home_folder_and_empty_variables_are_unset() -> None:
    expected = Path.home() / ".local/state/agentcop"

    assert state_folder({}) == expected
    assert state_folder({"AGENTCOP_HOME": "", "XDG_STATE_HOME": ""}) == expected


def test_the_folder_is_absolute_and_a_tilde_is_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert state_folder({"AGENTCOP_HOME": "state"}) == tmp_path / "state"
    assert state_folder({"AGENTCOP_HOME": "~/cop"}) == Path.home() / "cop"


def test_the_default_does_not_depend_on_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state_folder({})
    monkeypatch.chdir(tmp_path)

    assert state_folder({}) == before


def test_asking_creates_nothing(tmp_path: Path) -> None:
    state_folder({"AGENTCOP_HOME": str(tmp_path / "state")})

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_made_for_its_owner_alone_and_left_empty(tmp_path: Path) -> None:
    folder = ensure_state_folder(tmp_path / "deep" / "state")

    assert folder.is_dir()
    assert list(folder.iterdir()) == []
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700


def test_an_existing_folder_is_kept_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "gate.log").write_text("line")

    assert ensure_state_folder(tmp_path) == tmp_path
    assert [file.name for file in tmp_path.iterdir()] == ["gate.log"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"set AGENTCOP_HOME to another: .*file"):
        ensure_state_folder(tmp_path / "file" / "state")


def test_the_proof_follows_no_link_that_waits_for_it(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / f".write-test-{os.getpid()}").symlink_to(precious)
    ensure_state_folder(folder)
    assert precious.read_text() == "data"


def test_many_may_prove_the_same_folder_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ensure_state_folder, [tmp_path] * 500)) == [tmp_path] * 500
