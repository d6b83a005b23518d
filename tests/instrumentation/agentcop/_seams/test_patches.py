"""Subclasses that override a patched method are found, whenever and however they are defined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentcop._seams.patches import remove_all, with_subclasses

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    remove_all()


def test_a_class_that_overrides_init_subclass_without_super_hides_no_class_below_it() -> None:
    class Base:
        pass

    class Deaf(Base):
        told: list[str] = []  # noqa: RUF012 -- one list for all below

        def __init_subclass__(cls, **kwargs: Any) -> None:
            cls.told.append(cls.__name__)

    found: list[str] = []
    with_subclasses(Base, "key", lambda cls: found.append(cls.__name__))

    class Below(Deaf):
        pass

    class Lower(Below, Base):
        def __init_subclass__(cls) -> None:
            """Deaf as well."""

    class Lowest(Lower):
        pass

    assert set(found) == {"Base", "Deaf", "Below", "Lower", "Lowest"}
    assert Deaf.told == ["Below", "Lower"], "what it does itself it still does"


def test_a_deaf_class_defined_later_hides_nothing_either() -> None:
    class Base:
        pass

    found: list[str] = []
    with_subclasses(Base, "key", lambda cls: found.append(cls.__name__))

    class Deaf(Base):
        def __init_subclass__(cls, *, flavour: str = "") -> None:
            cls.flavour = flavour  # type: ignore[attr-defined]  # set here

    class Below(Deaf, flavour="sour"):
        pass

    assert set(found) == {"Base", "Deaf", "Below"}
    assert Below.flavour == "sour"  # type: ignore[attr-defined]  # set there


def test_removing_puts_every_init_subclass_back() -> None:
    class Base:
        pass

    class Deaf(Base):
        def __init_subclass__(cls) -> None:
            """Deaf."""

    own = vars(Deaf)["__init_subclass__"]
    found: list[str] = []
    with_subclasses(Base, "key", lambda cls: found.append(cls.__name__))
    remove_all()

    class Below(Deaf):
        pass

    assert vars(Deaf)["__init_subclass__"] is own
    assert "__init_subclass__" not in vars(Base)
    assert found == ["Base", "Deaf"]
    assert Below.__mro__[1] is Deaf
