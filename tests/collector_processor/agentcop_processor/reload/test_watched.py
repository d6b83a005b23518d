"""A changed file is taken once it has rested, longer if it looks cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcop_processor.reload.watched import REST, REST_IF_CUT, Watched, marks_of
from reloading import Clocks

OLD = b"agent_id: a\ngate:\n  allow: [x]\n  block: [y]\n"


def read(path: str) -> bytes:
    return Path(path).read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_bytes(OLD)
    return path


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def watched(file: Path, clocks: Clocks) -> Watched:
    made = Watched(now=clocks.now, monotonic=clocks.monotonic)
    made.take(marks_of([str(file)]), {str(file): OLD})
    return made


def rests_for(watched: Watched, clocks: Clocks, limit: float = 30.0) -> float | None:
    """After how many seconds the change is taken, in steps of half a second; None within the limit never."""
    passed = 0.0
    while passed <= limit:
        if watched.changed(read) is not None:
            return passed
        clocks.pass_(0.5)
        passed += 0.5
    return None


def test_a_file_that_did_not_change_is_never_taken(watched: Watched, clocks: Clocks) -> None:
    assert rests_for(watched, clocks) is None


def test_a_new_text_is_taken_after_a_rest(watched: Watched, file: Path, clocks: Clocks) -> None:
    file.write_bytes(OLD.replace(b"x", b"z"))
    assert rests_for(watched, clocks) == REST


def test_one_that_rested_before_anybody_looked_is_taken_at_once(watched: Watched, file: Path, clocks: Clocks) -> None:
    file.write_bytes(OLD.replace(b"x", b"z"))
    clocks.day += 60  # an idle process: the file changed a minute ago
    assert watched.changed(read) is not None


def test_a_clock_that_was_set_back_is_not_waited_for(watched: Watched, file: Path, clocks: Clocks) -> None:
    clocks.day -= 86_400
    file.write_bytes(OLD.replace(b"x", b"z"))
    assert rests_for(watched, clocks) == REST


@pytest.mark.parametrize("cut", [b"", b"\n", OLD[:30], OLD[:-13], OLD[:-1], b"agent_id: b\ngate: {default: allow"])
def test_what_looks_cut_off_rests_longer(watched: Watched, file: Path, clocks: Clocks, cut: bytes) -> None:
    file.write_bytes(cut)
    assert rests_for(watched, clocks) == REST_IF_CUT


def test_a_file_written_in_pieces_is_not_taken_in_between(watched: Watched, file: Path, clocks: Clocks) -> None:
    new = OLD.replace(b"x", b"z") * 3
    for end in range(0, len(new), 10):
        file.write_bytes(new[:end])
        assert watched.changed(read) is None
        clocks.grown += 0.9
    file.write_bytes(new)
    assert rests_for(watched, clocks) == REST


def test_a_file_that_is_gone_is_a_change_after_a_rest(watched: Watched, file: Path, clocks: Clocks) -> None:
    file.unlink()
    assert rests_for(watched, clocks) == REST
    watched.leave(marks_of([str(file)]))
    assert rests_for(watched, clocks) is None, "it is dealt with"


def test_one_that_comes_back_as_it_was_is_a_change_to_be_read(watched: Watched, file: Path, clocks: Clocks) -> None:
    file.unlink()
    file.write_bytes(OLD)
    assert rests_for(watched, clocks) == REST
