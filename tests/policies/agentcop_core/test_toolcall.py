"""A tool call is frozen, and only ever spelled out by name."""

from __future__ import annotations

import dataclasses

import pytest

from agentcop_core.canonical import digest, freeze
from agentcop_core.toolcall import Arguments, ToolCall


def call() -> ToolCall:
    arguments = freeze({"to": "ann"})
    return ToolCall(tool="mail", arguments=arguments, digest=digest("mail", arguments))


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ToolCall)])
def test_no_field_of_a_call_can_be_set(field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(call(), field, "else")


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Arguments)])
def test_no_field_of_its_arguments_can_be_set(field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(call().arguments, field, {})


def test_nothing_can_be_added_to_a_call() -> None:
    with pytest.raises((AttributeError, TypeError)):
        call().approved = True  # type: ignore[attr-defined]  # the point


def test_positional_construction_is_refused() -> None:
    with pytest.raises(TypeError):
        ToolCall("mail", call().arguments, "")  # type: ignore[call-arg]  # the point


def test_equal_calls_are_equal_and_one_argument_makes_another() -> None:
    assert call() == call()
    assert call() != dataclasses.replace(call(), arguments=freeze({"to": "bob"}))
