"""JSON arguments: read in the one way, made to fit their schema, and written so that all read what was judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop.adapters._json_arguments import AmbiguousError, decode, encode, fit
from argument_values import JSON, UNICODE

OBJECTS = st.dictionaries(UNICODE, JSON, max_size=5)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object", "nonsense"])
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({}, optional={"type": TYPES | st.lists(TYPES, max_size=3), "default": JSON}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "properties": st.dictionaries(UNICODE, inner, max_size=3),
            "items": inner,
            "anyOf": st.lists(inner, max_size=3),
            "$ref": st.sampled_from(["#", "#/properties/a", "#/nowhere", "elsewhere"]),
        },
    ),
    max_leaves=10,
)


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"x": [{"a": 1, "b": 2, "a": 1}]}', '{"a": 1, "\\u0061": 2}', '[{"a": 1, "a": 1}]'],
)
def test_one_key_twice_is_ambiguous_wherever_it_stands(text: str) -> None:
    with pytest.raises(AmbiguousError):
        decode(text)


def test_no_text_is_no_argument_and_what_is_no_json_is_an_error() -> None:
    assert decode("") == {}
    for text in ("{", "no", "{'a': 1}", "{}{}", "\ufeff{}"):
        with pytest.raises(ValueError):  # noqa: PT011 -- Python's own words
            decode(text)


@given(OBJECTS)
def test_what_is_written_is_read_as_what_was_judged(values: dict[str, Any]) -> None:
    assert json.dumps(decode(encode(values))) == json.dumps(values)


@given(OBJECTS, SCHEMAS)
def test_fitting_twice_is_fitting_once_and_no_schema_breaks_it(values: dict[str, Any], of: dict[str, Any]) -> None:
    before = json.dumps(values)
    once = fit(values, of)
    assert json.dumps(fit(once, of)) == json.dumps(once)
    assert json.dumps(values) == before
    assert values.keys() <= once.keys()


def test_a_default_is_made_to_fit_as_what_was_sent_is() -> None:
    assert fit({}, schema(n={"type": "integer", "default": False})) == {"n": 0}
    assert type(fit({}, schema(n={"type": "integer", "default": "7"}))["n"]) is int


@pytest.mark.parametrize("lenient", ["900", " 900 ", "9_00", "900.0", "９００", 900, 900.0])  # noqa: RUF001 -- the point
def test_every_way_of_writing_a_number_is_that_number(lenient: Any) -> None:
    fitted = fit({"n": lenient, "x": lenient}, schema(n={"type": "integer"}, x={"type": "number"}))
    assert (fitted["n"], type(fitted["n"]), fitted["x"], type(fitted["x"])) == (900, int, 900.0, float)


@pytest.mark.parametrize("lenient", ["true", "YES", " on ", "1", "t", 1, 1.0, True])
def test_every_way_of_saying_yes_is_true(lenient: Any) -> None:
    assert fit({"b": lenient}, schema(b={"type": "boolean"}))["b"] is True


@pytest.mark.parametrize("other", ["much", "nan", "inf", "1e999", "", "0x10", [], {}, None, "9" * 5_000, 2**60 + 0.5])
def test_what_is_no_number_stays_as_it_is(other: Any) -> None:
    fitted = fit({"n": other}, schema(n={"type": "integer"}))
    assert fitted["n"] == other or isinstance(fitted["n"], int)
    assert fit({"b": other}, schema(b={"type": "boolean"}))["b"] == other


def test_a_text_that_may_be_a_text_stays_one() -> None:
    either = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert fit({"a": "7", "b": "7"}, schema(a=either, b={"type": ["string", "null"]})) == {"a": "7", "b": "7"}


def test_integers_that_a_float_could_not_hold_are_left_alone() -> None:
    assert fit({"n": 2**60 + 1}, schema(n={"type": "number"})) == {"n": 2**60 + 1}


def test_defaults_are_filled_in_and_copied() -> None:
    declared = schema(
        unit={"type": "string", "default": "EUR"},
        tags={"type": "array", "default": []},
        note={"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        odd={"type": "string", "default": None},
        inner={"type": "object", "properties": {"deep": {"type": "integer", "default": 3}}},
    )
    fitted = fit({"inner": {}}, declared)
    assert fitted == {"unit": "EUR", "tags": [], "note": None, "inner": {"deep": 3}}
    fitted["tags"].append("x")  # type: ignore[attr-defined]  # it is a list
    assert declared["properties"]["tags"]["default"] == []


def test_references_lists_and_unions_are_followed() -> None:
    declared: dict[str, Any] = {
        "$defs": {"Item": schema(count={"type": "integer", "default": 1})},
        **schema(
            items={"type": "array", "items": {"$ref": "#/$defs/Item"}},
            maybe={"anyOf": [{"$ref": "#/$defs/Item"}, {"type": "null"}]},
        ),
    }
    given_values = {"items": [{"count": "2"}, {}], "maybe": {"count": "3"}}
    assert fit(given_values, declared) == {"items": [{"count": 2}, {"count": 1}], "maybe": {"count": 3}}


def test_where_nothing_is_to_be_converted_only_defaults_are_filled_in() -> None:
    declared = schema(n={"type": "integer"}, unit={"type": "string", "default": "EUR"})
    assert fit({"n": "7"}, declared, convert=False) == {"n": "7", "unit": "EUR"}


def test_a_hostile_schema_is_looked_at_a_bounded_number_of_times() -> None:
    circle: dict[str, Any] = {"anyOf": [{"$ref": "#"}] * 1_000, "items": {"$ref": "#"}}
    circle["properties"] = {"a": {"$ref": "#"}}
    chain: dict[str, Any] = {"$ref": "#/properties/a", "properties": {"a": {"$ref": "#/properties/a"}}}
    values = {"a": [str(number) for number in range(20_000)]}
    for hostile in (circle, chain):
        assert fit(values, hostile) == values


@pytest.mark.parametrize("odd", [None, [], "x", {"properties": []}, {"properties": {"a": 7}}, {"type": 7}])
def test_what_is_no_schema_changes_nothing(odd: Any) -> None:
    assert fit({"a": "1"}, odd) == {"a": "1"}
