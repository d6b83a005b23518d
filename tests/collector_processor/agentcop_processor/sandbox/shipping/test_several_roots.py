"""A tool gets the modules that it imports from wherever this process has them: a second folder, an editable install."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.shipping import ship_function
from parcels import Project, importable, run_parcel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Project]:
    """Another folder on the path, as an editable install puts one there."""
    root = tmp_path / "library"
    root.mkdir()
    with importable(root) as made:
        yield made


TOOLS = {
    "imported": "import far.inner\ndef tool(x): return far.inner.twice(x)\n",
    "imported by what it imports": "import between\ndef tool(x): return between.far.inner.twice(x)\n",
    "imported by its function": "def tool(x):\n    from far.inner import twice\n    return twice(x)\n",
}


@pytest.mark.parametrize("loaded", [False, True], ids=["not loaded yet", "loaded"])
@pytest.mark.parametrize("text", TOOLS.values(), ids=TOOLS)
def test_a_tool_that_is_imported_finds_a_package_of_another_folder(
    project: Project, library: Project, box: Path, text: str, loaded: bool
) -> None:
    library.write("far/__init__.py")
    library.write("far/inner.py", "def twice(x): return 2 * x\n")
    library.write("unused.py")
    project.write("between.py", "import far.inner\n")
    project.write("near.py", text)
    if loaded:
        library.load("far.inner")
    parcel = ship_function(project.load("near").tool)
    assert parcel.source == ""
    assert not any("unused" in mount.target for mount in parcel.mounts)
    assert run_parcel(parcel, box, 2) == 4


def test_so_does_one_that_travels_as_text(project: Project, library: Project, box: Path) -> None:
    library.write("far/__init__.py")
    library.write("far/inner.py", "def twice(x): return 2 * x\n")
    project.write("between.py", "import far.inner\n")
    text = "import between\ndef tool(x): return between.far.inner.twice(x)\n"
    project.write("near.py", "from agentcop import AgentCop\n" + text)
    parcel = ship_function(project.load("near").tool)
    assert parcel.source != ""
    assert run_parcel(parcel, box, 2) == 4


def test_a_namespace_that_lies_in_two_folders_is_whole_in_the_box(
    project: Project, library: Project, box: Path
) -> None:
    project.write("shared/near.py", "from shared.far import twice\ndef tool(x): return twice(x)\n")
    library.write("shared/far.py", "def twice(x): return 2 * x\n")
    parcel = ship_function(project.load("shared.near").tool)
    assert run_parcel(parcel, box, 2) == 4


def test_the_folder_that_comes_first_here_comes_first_there(project: Project, library: Project, box: Path) -> None:
    assert sys.path.index(str(library.root)) < sys.path.index(str(project.root))
    for made, number in ((project, 1), (library, 2)):
        made.write("both.py", f"NUMBER = {number}\n")
    library.write("far.py")
    project.write("near.py", "import far\ndef tool():\n    import both\n    return both.NUMBER\n")
    tool = project.load("near").tool
    assert run_parcel(ship_function(tool), box) == tool() == 2
