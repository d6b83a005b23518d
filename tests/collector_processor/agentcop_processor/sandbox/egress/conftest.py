"""A world outside for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import outside_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[outside_world.World]:
    with outside_world.world(tmp_path) as made:
        yield made
