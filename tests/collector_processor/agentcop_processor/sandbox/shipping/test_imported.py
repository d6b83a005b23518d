"""A tool that can be imported in a box is named there, and its project is all that the box has of the host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agentcop import AgentCop, GatePolicy
from agentcop_processor.sandbox.parcel import NotShippable
from agentcop_processor.sandbox.shipping import ship_class, ship_function
from parcels import run_parcel

if TYPE_CHECKING:
    from pathlib import Path

    from parcels import Project

TOOL = """
    from shop.prices import PRICE
    import shared

    def total(count: int) -> int:
        return shared.twice(count) * PRICE

    async def later(count):
        return total(count)

    class Till:
        @staticmethod
        def fixed(count):
            return total(count) + 1

        @classmethod
        def classed(cls, count):
            return cls.fixed(count) + 1

        def counted(self, count):
            return self.classed(count) + 1

    class Own:
        def __init__(self, rate):
            self.rate = rate

        def rated(self, count):
            return count * self.rate
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.write("shop/__init__.py")
    project.write("shop/prices.py", "PRICE = 3")
    project.write("shared.py", "def twice(x): return 2 * x")
    project.write("shop/tools.py", TOOL)
    project.write("unused/__init__.py")
    return project


def test_a_function_of_a_package_gives_in_the_box_what_it_gives_here(shop: Project, box: Path) -> None:
    total = shop.load("shop.tools").total
    parcel = ship_function(total)
    assert (parcel.module, parcel.name, parcel.source) == ("shop.tools", "total", "")
    assert run_parcel(parcel, box, 2) == total(2) == 12


def test_what_is_mounted_is_what_is_in_use_of_the_same_root_and_not_the_root(shop: Project) -> None:
    parcel = ship_function(shop.load("shop.tools").total)
    assert parcel.path == ("/project/0",)
    assert {(mount.target, mount.source, mount.writable) for mount in parcel.mounts} == {
        ("/project/0/shared.py", str(shop.root / "shared.py"), False),
        ("/project/0/shop", str(shop.root / "shop"), False),
    }


def test_a_coroutine_function_is_shipped_as_it_is(shop: Project, box: Path) -> None:
    assert run_parcel(ship_function(shop.load("shop.tools").later), box, 2) == 12


@pytest.mark.parametrize(("name", "result"), [("fixed", 13), ("classed", 14)])
def test_a_static_and_a_class_method_are_found_in_their_class(shop: Project, box: Path, name: str, result: int) -> None:
    parcel = ship_function(getattr(shop.load("shop.tools").Till, name))
    assert parcel.name == f"Till.{name}"
    assert run_parcel(parcel, box, 2) == result


def test_a_method_of_an_object_without_state_is_called_on_a_new_one(shop: Project, box: Path) -> None:
    parcel = ship_function(shop.load("shop.tools").Till().counted)
    assert (parcel.name, parcel.init, parcel.method) == ("Till", {}, "counted")
    assert run_parcel(parcel, box, 2) == 15


def test_a_method_of_an_object_with_state_stays_here(shop: Project) -> None:
    with pytest.raises(NotShippable, match=r"rated cannot run in a box: .*an object.* Way out: make it a function"):
        ship_function(shop.load("shop.tools").Own(2).rated)


def test_a_function_of_the_standard_library_needs_no_mount(box: Path) -> None:
    parcel = ship_function(os.path.join)
    assert parcel.mounts == ()
    assert run_parcel(parcel, box, "a", "b") == "a/b"
    assert ship_function(os.system).name == "system"


def test_an_installed_function_needs_no_mount() -> None:
    parcel = ship_function(pytest.approx)
    assert (parcel.name, parcel.mounts, parcel.path) == ("approx", (), ())


def test_two_calls_of_one_tool_have_equal_parcels(shop: Project) -> None:
    total = shop.load("shop.tools").total
    assert ship_function(total) == ship_function(total)


def test_parcels_of_objects_are_told_apart_by_what_the_objects_are_made_of(shop: Project) -> None:
    own = shop.load("shop.tools").Own
    made = [ship_class(own, {"rate": rate}, "rated") for rate in (1, True, 1.0, [1], 1)]
    assert len(set(made)) == 4
    assert made[0] == made[4]


def test_a_function_that_was_guarded_in_place_is_imported_as_it_was(shop: Project, box: Path) -> None:
    tools = shop.load("shop.tools")
    original = tools.total
    tools.total = AgentCop(agent_id="a", policy=GatePolicy(allow=["*"])).tool(original)
    parcel = ship_function(original)
    assert parcel.source == ""
    assert run_parcel(parcel, box, 2) == 12


def test_a_function_that_is_guarded_itself_is_not_shipped_as_if_it_were_not(shop: Project) -> None:
    guarded = AgentCop(agent_id="a", policy=GatePolicy(allow=["*"])).tool(shop.load("shop.tools").total)
    with pytest.raises(NotShippable, match="guarded itself"):
        ship_function(guarded)


def test_a_module_that_holds_a_cop_is_not_imported_in_a_box(project: Project, box: Path) -> None:
    project.write(
        "armed.py",
        """
        from agentcop import AgentCop, GatePolicy
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["*"]))
        def double(x): return 2 * x
        """,
    )
    parcel = ship_function(project.load("armed").double)
    assert "agentcop" not in parcel.source
    assert run_parcel(parcel, box, 2) == 4


def test_nor_one_that_holds_a_cop_which_no_import_statement_tells_of(project: Project) -> None:
    project.write(
        "hidden_cop.py",
        """
        import importlib
        GatePolicy = importlib.import_module("agentcop").GatePolicy
        def double(x): return 2 * x
        """,
    )
    assert ship_function(project.load("hidden_cop").double).source != ""


def test_what_a_wrapper_that_is_no_guard_has_replaced_is_not_imported_by_its_name(project: Project, box: Path) -> None:
    project.write(
        "wrapping.py",
        """
        def louder(function):
            return lambda x: function(x) + 100
        def plain(x): return x
        kept = plain
        plain = louder(plain)
        """,
    )
    assert run_parcel(ship_function(project.load("wrapping").kept), box, 2) == 2


def test_nor_one_that_imports_a_module_with_a_cop(project: Project) -> None:
    project.write("security.py", "from agentcop import AgentCop\nSETTING = 1\n")
    project.write("between.py", "from security import SETTING\n")
    project.write("tools.py", "from between import SETTING\ndef double(x): return 2 * x * SETTING\n")
    with pytest.raises(NotShippable, match=r"imports security, which has to do with AgentCop.*Way out: put it into a"):
        ship_function(project.load("tools").double)


def test_an_import_for_types_alone_is_none(project: Project, box: Path) -> None:
    project.write(
        "typed.py",
        """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from agentcop import AgentCop
        def double(x: "AgentCop") -> int: return 2 * x
        """,
    )
    parcel = ship_function(project.load("typed").double)
    assert parcel.source == ""
    assert run_parcel(parcel, box, 2) == 4


def test_a_name_that_leads_to_another_function_by_now_is_not_used(shop: Project, box: Path) -> None:
    tools = shop.load("shop.tools")
    original = tools.total
    tools.total = lambda _: 0
    parcel = ship_function(original)
    assert parcel.source != ""
    assert run_parcel(parcel, box, 2) == 12
