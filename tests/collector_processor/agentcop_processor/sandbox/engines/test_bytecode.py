"""The code of a box is compiled before the first box starts, and that nobody can write it stops nothing."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox import inside
from agentcop_processor.sandbox.engines import bytecode

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    copy = tmp_path / "inside"
    shutil.copytree(inside.__path__[0], copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(inside, "__path__", [str(copy)])
    bytecode.ready.cache_clear()
    yield copy
    bytecode.ready.cache_clear()


def test_every_module_of_a_box_is_compiled(folder: Path) -> None:
    assert bytecode.ready()
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 10
    assert [path.name for path in sources if not Path(importlib.util.cache_from_source(str(path))).is_file()] == []


def test_a_folder_that_cannot_be_written_is_told(folder: Path) -> None:
    (folder / "__pycache__").write_text("no folder")  # root may write to any folder
    assert not bytecode.ready()


def test_it_is_asked_once_in_a_process(folder: Path) -> None:
    assert bytecode.ready()
    shutil.rmtree(folder / "__pycache__")
    assert bytecode.ready()
    assert not (folder / "__pycache__").exists()
