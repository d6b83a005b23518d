"""Notebooks: one module of all cells, with the places of the file."""

from __future__ import annotations

import ast
import json

import pytest

from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.parsing import notebook_of


def _notebook(*cells: object) -> str:
    return json.dumps({"cells": list(cells), "nbformat": 4}, indent=1, ensure_ascii=False)


def _code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source}


def test_a_call_stands_where_the_file_has_it() -> None:
    text = _notebook(_code(["x = 1\n", 's = "é\\n" + eval(x)']), _code("y = 2\nz = eval(y)"))
    module = notebook_of(text.encode(), "a.ipynb")
    lines = text.split("\n")
    for call in module.nodes.of(ast.Call):
        place = module.place(call)
        assert lines[place.line - 1][place.col - 1 : place.end_col].startswith("eval(")
        assert lines[place.line - 1][place.col - 1 : place.end_col].endswith(")")


def test_cells_share_their_names() -> None:
    module = notebook_of(_notebook(_code("import os as o"), _code("o.system(x)")).encode(), "a.ipynb")
    assert list(module.calls("os.system"))


@pytest.mark.parametrize(
    "magic", ["%pip install x", "!ls", "%%time", "if a:\n    !rm x", "files = !ls", "x = %env HOME", "os.path?", "?os"]
)
def test_magics_are_tolerated(magic: str) -> None:
    module = notebook_of(_notebook(_code(magic), _code("f(1)")).encode(), "a.ipynb")
    assert len(module.nodes.of(ast.Call)) == 1


def test_cells_of_other_languages_and_prose_are_left_out() -> None:
    cells = (_code("%%bash\nrm -rf /"), {"cell_type": "markdown", "source": "# not ( python"}, _code("f(1)"))
    assert len(notebook_of(_notebook(*cells).encode(), "a.ipynb").nodes.of(ast.Call)) == 1


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[" * 5_000, _notebook(_code("def ("))])
def test_what_is_no_notebook_is_reported(text: str) -> None:
    with pytest.raises(UnreadError):
        notebook_of(text.encode(), "a.ipynb")
