"""A project to ship from, in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parcels import Project, importable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = tmp_path / "project"
    root.mkdir()
    with importable(root) as made:
        yield made


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder
