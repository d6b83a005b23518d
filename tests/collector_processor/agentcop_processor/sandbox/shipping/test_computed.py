"""What a slice of text would compute anew in the box, and could compute to something else, stays here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentcop_processor.sandbox.parcel import NotShippable
from agentcop_processor.sandbox.shipping import ship_function
from parcels import run_parcel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMPUTED = {
    "default": "def helper(x, y=os.environ.get('HOME')): return y",
    "keyword default": "def helper(x, *, y=os.environ.get('HOME')): return y",
    "default of a lambda": "def helper(x): return Row.f(x)\nclass Row:\n    f = lambda x, y=os.getpid(): y",
    "class attribute": "class Row:\n    home = os.environ.get('HOME')\ndef helper(x): return Row.home",
    "annotated attribute": "class Row:\n    home: str = os.environ['HOME']\ndef helper(x): return Row.home",
    "branch in a class": "class Row:\n    if os.environ.get('A'): a = 1\ndef helper(x): return Row.a",
    "loop in a class": "class Row:\n    for home in os.environ: pass\ndef helper(x): return Row.home",
    "default of a method": "class Row:\n    def f(self, y=os.getpid()): return y\ndef helper(x): return Row().f()",
    "class in a class": "class Row:\n    class Inner:\n        a = os.getpid()\ndef helper(x): return Row.Inner.a",
    "keyword of a class": (
        "class Base:\n    def __init_subclass__(cls, home=None): cls.home = home\n"
        "class Row(Base, home=os.getpid()): pass\ndef helper(x): return Row.home"
    ),
    "argument of a decorator": (
        "def put(value):\n    return lambda function: lambda x: value\n"
        "@put(os.environ.get('HOME'))\ndef helper(x): return x"
    ),
}


@pytest.mark.parametrize("text", COMPUTED.values(), ids=COMPUTED)
def test_what_a_definition_computes_as_it_is_made_stays_here(armed: Callable[[str], Any], text: str) -> None:
    module = armed(f"import os\n{text}\n@given\ndef tool(x): return helper(x)\n")
    with pytest.raises(NotShippable, match=r"tool cannot run in a box: .*(Row|helper), .*computed.* Way out: "):
        ship_function(module.TOOLS[0])


@pytest.mark.parametrize("default", ["os.environ.get('HOME')", "[os.getpid()]"])
def test_so_does_a_default_of_the_tool_itself(armed: Callable[[str], Any], default: str) -> None:
    module = armed(f"import os\n@given\ndef tool(x, y={default}): return y\n")
    with pytest.raises(NotShippable, match=r"tool cannot run in a box: .*computed.* Way out: "):
        ship_function(module.TOOLS[0])


def test_definitions_that_compute_the_same_everywhere_travel(armed: Callable[[str], Any], box: Path) -> None:
    module = armed(
        """
        import enum, functools, logging, textwrap
        from dataclasses import dataclass, field
        from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator
        LIMIT = 3
        class Size(enum.Enum):
            SMALL = "s"
            LARGE = "l"
        @dataclass(frozen=True)
        class Row:
            "A row."
            size: Size = Size.SMALL
            names: list[str] = field(default_factory=list)
            most = LIMIT + 1
            log = logging.getLogger(__name__)
            about = (textwrap.dedent("  a"), " b ".strip(), "{}".format(LIMIT))
            key = staticmethod(lambda value, sign=-1: sign * value)
            @property
            def small(self): return self.size is Size.SMALL
        class Model(BaseModel):
            model_config = ConfigDict(frozen=True)
            count: int = Field(default=LIMIT, ge=1)
            more: list[int] = Field(default_factory=lambda: [1])
            _seen: int = PrivateAttr(default=0)
            @field_validator("count", mode="after")
            @classmethod
            def doubled(cls, value): return 2 * value
        @functools.lru_cache(maxsize=LIMIT)
        def helper(x, size=Size.SMALL, *, names=("a",)): return [x, size.value, names]
        @given
        def tool(x, most=LIMIT):
            row = Row()
            return [helper(x), row.small, row.most, Row.key(1), row.about, Model(count=2).count, Model().more, most]
        """
    )
    given = module.TOOLS[0](1)
    assert (
        run_parcel(ship_function(module.TOOLS[0]), box, 1)
        == given
        == [[1, "s", ("a",)], True, 4, -1, ("a", "b", "3"), 4, [1], 3]
    )


CHANGED = {
    "product": ("LIMIT = 2 * 10", 5),
    "sum of names": ("BASE = 1\nLIMIT = BASE + 1", 5),
    "one of two": ("LIMIT, OTHER = 1, 2", 5),
    "made": ("LIMIT = frozenset({1})", frozenset({2})),
    "made of names": ("LIMIT = dict(a=1)", {"a": 2}),
    "pattern": ("import re\nLIMIT = re.compile('a')", "re.compile('b')"),
    "bound twice": ("LIMIT = 1\nLIMIT = 2", 5),
    "in a branch": ("try:\n    LIMIT = 1\nexcept ValueError:\n    LIMIT = 2", 5),
    "another type": ("LIMIT = 2 * 10", 20.0),
}


@pytest.mark.parametrize(("text", "other"), CHANGED.values(), ids=CHANGED)
def test_a_constant_that_the_program_has_changed_since_does_not_travel(
    armed: Callable[[str], Any], text: str, other: object
) -> None:
    module = armed(f"{text}\n@given\ndef tool(x): return LIMIT\n")
    assert "LIMIT" in ship_function(module.TOOLS[0]).source
    module.LIMIT = other
    with pytest.raises(NotShippable, match="LIMIT, which has changed since its module ran"):
        ship_function(module.TOOLS[0])


@pytest.mark.parametrize("text", ["LIMIT = 1", "LIMIT: int = 2 * 3", "LIMIT = ('a', 'b')"])
def test_nor_a_class_of_which_an_attribute_was_changed(armed: Callable[[str], Any], text: str) -> None:
    module = armed(f"class Row:\n    {text}\n@given\ndef tool(x): return Row.LIMIT\n")
    assert "Row" in ship_function(module.TOOLS[0]).source
    module.Row.LIMIT = 7
    with pytest.raises(NotShippable, match="Row, which has changed since its module ran"):
        ship_function(module.TOOLS[0])
