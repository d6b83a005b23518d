from __future__ import annotations

import functools
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop._startup.sources import is_installed, source_of_caller, sources_of

if TYPE_CHECKING:
    from types import ModuleType

HERE = str(Path(__file__).resolve())


def module(folder: Path, name: str, text: str) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # as an import leaves it
    spec.loader.exec_module(loaded)
    return loaded


TOOL = "def tool(x):\n    return x\n"


def test_the_files_of_functions_are_found_wherever_they_are_held(tmp_path: Path) -> None:
    one, two, three, four = (module(tmp_path, f"m{n}", TOOL).tool for n in range(4))

    class Slotted:
        __slots__ = ("held", "unset")

        def __init__(self) -> None:
            self.held = (three,)

    class Agent:
        def __init__(self) -> None:
            self.tools = {"one": one, "more": [functools.partial(two)]}
            self.inner = Slotted()
            self.callback = lambda: four

    found = sources_of(Agent())

    assert found.first_party == {HERE, *(str(tmp_path / f"m{n}.py") for n in range(4))}
    assert (found.missing, found.complete) == (set(), True)


def test_no_property_and_no_code_of_the_object_runs() -> None:
    class Agent:
        @property
        def tools(self) -> object:
            raise AssertionError("ran")

        def __getattribute__(self, name: str) -> object:
            raise AssertionError("ran")

    assert sources_of(Agent()).first_party == {HERE}


def test_code_that_was_typed_in_is_missing_by_name() -> None:
    space: dict[str, object] = {"__name__": "__main__"}
    exec("def typed(): pass", space)  # noqa: S102 -- as a notebook does

    found = sources_of({"typed": space["typed"]})

    assert (found.first_party, found.missing) == (set(), {"__main__.typed"})


def test_what_is_built_in_or_pythons_own_is_neither() -> None:
    found = sources_of([print, len, json.dumps, Path("x"), 7, "text", None, object()])

    assert (found.first_party, found.installed, found.missing) == (set(), set(), set())


def test_an_installed_tool_is_named_apart_and_other_installed_objects_are_not() -> None:
    tool = pytest.MonkeyPatch()
    plain = sources_of([tool])
    tool.__dict__.update(name="patch", description="patches")
    named = sources_of([tool])

    assert (plain.first_party, plain.installed) == (set(), set())
    assert [Path(path).name for path in named.installed] == ["monkeypatch.py"]
    assert is_installed(str(pytest.__file__))
    assert not is_installed(HERE)


DATA_TOOL = """
from dataclasses import dataclass

@dataclass
class Tool:
    name: str = "clock"
    description: str = "Tells the time."
"""


def test_a_tool_that_is_a_dataclass_is_the_projects_file_and_never_pythons_own(tmp_path: Path) -> None:
    found = sources_of(module(tmp_path, "data_tool", DATA_TOOL).Tool())

    assert (found.first_party, found.installed) == ({str(tmp_path / "data_tool.py")}, set())


def test_a_tool_of_a_class_of_the_standard_library_names_no_file_of_it() -> None:
    tool = json.JSONDecoder()
    tool.__dict__.update(name="json", description="Reads JSON.")
    found = sources_of(tool)

    assert (found.first_party, found.installed) == (set(), set())


def test_a_ring_of_objects_and_a_crowd_of_them_end() -> None:
    ring: list[object] = []
    ring.append(ring)
    crowd = [[object()] for _ in range(10_000)]

    assert sources_of(ring).complete
    assert not sources_of(crowd).complete


def test_the_caller_is_the_innermost_function_of_the_project() -> None:
    assert source_of_caller().first_party == {HERE}
    assert functools.reduce(lambda _, __: source_of_caller(), [1, 2]).first_party == {HERE}  # type: ignore[attr-defined,arg-type,return-value]  # reduce's types are narrow


def test_a_caller_without_a_file_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"source_of_caller": source_of_caller, "__name__": "__main__"}
    exec("found = source_of_caller()", space)  # noqa: S102 -- as a prompt does

    assert space["found"].missing == {"__main__ (<string>)"}  # type: ignore[attr-defined]  # a Sources
