"""Shipping a tool runs nothing of the host's program: what is not loaded stays so, and nobody is asked what he is."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.parcel import NotShippable
from agentcop_processor.sandbox.shipping import ship_function
from agentcop_processor.sandbox.shipping.origins import origin_of

if TYPE_CHECKING:
    from pathlib import Path

    from parcels import Project

ASKED: list[str] = []


class Proxy:
    """Stands for an object that is made when somebody asks for it."""

    @property
    def __class__(self) -> type:
        ASKED.append("__class__")
        raise RuntimeError("there is no request to be a proxy of")

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise AssertionError


def lazily(project: Project, name: str) -> Path:
    """A module in `sys.modules` that runs at its first use; the file that it writes then."""
    sign = project.root / f"{name} ran"
    project.write(f"{name}.py", f"open({str(sign)!r}, 'w').close()\nLEVEL = 3\n")
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return sign


LATER = """
    def add(a, b):
        import lazy
        return a + lazy.LEVEL
"""


@pytest.mark.parametrize("text", ["def add(a, b): return a + b", LATER], ids=["not named", "imported by the tool"])
def test_a_module_that_waits_to_be_loaded_goes_on_waiting(project: Project, text: str) -> None:
    sign = lazily(project, "lazy")
    project.write("adding.py", text)
    ship_function(project.load("adding").add)
    assert not sign.exists()


def test_a_literal_that_a_waiting_module_stands_in_does_not_load_it(project: Project) -> None:
    sign = lazily(project, "lazy")
    project.write("adding.py", "import agentcop\nMORE = int(lazy.LEVEL) if False else 1\ndef add(a): return a + MORE")
    adding = project.load("adding")
    adding.lazy = sys.modules["lazy"]
    with pytest.raises(NotShippable):
        ship_function(adding.add)
    assert not sign.exists()


def test_what_a_modules_own_getattr_does_is_not_done(project: Project) -> None:
    project.write("asked.py", "def __getattr__(name): raise RuntimeError(name)")
    project.load("asked")
    project.write("adding.py", "import asked\ndef add(a, b): return a + b")
    assert ship_function(project.load("adding").add).module == "adding"


def test_a_proxy_among_a_modules_names_is_not_asked(project: Project) -> None:
    project.write("adding.py", "def add(a, b): return a + b")
    adding = project.load("adding")
    adding.request = Proxy()
    ASKED.clear()
    assert ship_function(adding.add).module == "adding"
    assert ASKED == []


def test_what_is_no_module_has_no_origin() -> None:
    assert origin_of("anything", Proxy()).kind == "unknown"
