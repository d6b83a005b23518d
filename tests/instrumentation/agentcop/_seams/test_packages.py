"""A class is of the package whose module holds it, whatever it says of itself."""

from __future__ import annotations

import collections
import json.decoder

from agentcop._seams.packages import package_of


class Here:
    class Inner:
        pass


class Impostor:
    pass


def test_a_class_is_of_the_package_in_whose_module_it_stands() -> None:
    assert package_of(json.decoder.JSONDecoder) == "json"
    assert package_of(collections.OrderedDict) == "collections"
    assert package_of(Here.Inner) == __name__.partition(".")[0]


def test_a_class_that_says_it_is_of_another_package_is_of_none() -> None:
    Impostor.__module__ = "json.decoder"
    assert package_of(Impostor) == ""
    Impostor.__qualname__ = "JSONDecoder"
    assert package_of(Impostor) == ""
    Impostor.__module__ = "no.such.module"
    assert package_of(Impostor) == ""


def test_a_class_inside_of_a_function_is_of_none() -> None:
    class Local:
        pass

    assert package_of(Local) == ""
