from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agentcop_core.filelock import try_lock, unlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The same file, opened twice."""
    path = tmp_path / "lock"
    path.touch()
    opened = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
    yield opened
    for descriptor in opened:
        os.close(descriptor)


def test_one_open_file_has_the_lock_until_it_gives_it_up(two: tuple[int, int]) -> None:
    one, other = two

    assert try_lock(one)
    assert not try_lock(other)
    unlock(one)
    assert try_lock(other)


def test_a_forked_copy_does_not_keep_a_lock_that_was_given_up(two: tuple[int, int]) -> None:
    one, other = two
    assert try_lock(one)
    copy = os.dup(one)
    unlock(one)

    assert try_lock(other)
    os.close(copy)


def test_giving_up_what_one_does_not_have_harms_nothing(two: tuple[int, int]) -> None:
    one, other = two
    assert try_lock(one)
    unlock(other)

    assert not try_lock(other)
