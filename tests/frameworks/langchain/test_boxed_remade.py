"""A LangChain tool that is a class is the same tool when its box has made it again, or no call of it runs there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.tools import BaseTool
from pydantic import AliasChoices, AliasPath, Field, field_validator, model_validator

from agentcop.adapters._langchain.boxed import ship_run
from agentcop_processor.sandbox.inside import tool
from agentcop_processor.sandbox.parcel import NotShippable

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.frameworks


class Reader(BaseTool):
    name: str = "reader"
    description: str = "Read."
    path: str = ""

    def _run(self, query: str) -> Any:
        return [getattr(self, each) for each in type(self).model_fields if each not in BaseTool.model_fields]


class Aliased(Reader):
    path: str = Field(default="", alias="file")


class Validated(Reader):
    path: str = Field(default="", validation_alias="file")


class Chosen(Reader):
    path: str = Field(default="", validation_alias=AliasChoices(AliasPath("files", 0), "file", "place"))


class Deep(Reader):
    path: str = Field(default="", validation_alias=AliasPath("files", 0))


class Made(Reader):
    region: str = Field(default_factory=lambda: os.environ.get("TEST_REGION", "none"))
    password: str = Field(default_factory=lambda: os.environ.get("TEST_PASSWORD", "none"))


class Growing(Reader):
    @field_validator("path")
    @classmethod
    def with_slash(cls, path: str) -> str:
        return f"{path}/"


class Checking(Reader):
    @model_validator(mode="before")
    @classmethod
    def with_slash(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {**given, "path": f"{given.get('path', '')}/"}


class OwnInit(Reader):
    def __init__(self, path: str) -> None:
        super().__init__(path=f"{path}/")


def again(made: BaseTool) -> tool.Tool:
    """As the box makes it."""
    parcel = ship_run(made)
    return tool.Tool(getattr(tool.made_again(type(made), parcel.init), parcel.method))


ALIKE: dict[str, Callable[[], BaseTool]] = {
    "alias": lambda: Aliased(file="x"),
    "validation alias": lambda: Validated(file="x"),
    "choice of aliases": lambda: Chosen(place="x"),
    "plain": lambda: Reader(path="x"),
}


@pytest.mark.parametrize("make", ALIKE.values(), ids=ALIKE)
def test_a_field_comes_to_hold_what_it_holds_here(make: Callable[[], BaseTool]) -> None:
    answer = again(make()).call({"args": [], "kwargs": {"query": "q"}}, 1000)
    assert answer["value"] == ["x"]


def test_what_a_factory_found_here_goes_along_but_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_REGION", "eu")
    monkeypatch.setenv("TEST_PASSWORD", "k-123")
    assert ship_run(Made()).init == {"region": "eu"}


@pytest.mark.parametrize("cls", [Growing, Checking, OwnInit])
def test_a_class_that_makes_something_else_of_its_own_fields_is_not_called(cls: type[BaseTool]) -> None:
    made = cls(path="x")
    assert made.path == "x/"
    with pytest.raises(TypeError, match=f"{cls.__name__} holds another path when it is made again"):
        again(made)


def test_a_field_that_only_a_path_leads_to_stays_here() -> None:
    with pytest.raises(NotShippable, match=r"path is made of a part of something else.*Way out: "):
        ship_run(Deep(files=["x"]))
