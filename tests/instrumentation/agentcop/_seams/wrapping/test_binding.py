from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop._seams.wrapping.binding import Binding


def everything(a: Any, /, b: Any, c: Any = 3, *rest: Any, d: Any, e: Any = 5, **more: Any) -> tuple[Any, ...]:
    return a, b, c, rest, d, e, more


def simple(a: Any, b: Any = 2) -> tuple[Any, ...]:
    return a, b


def keywords(**more: Any) -> dict[str, Any]:
    return more


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (everything, (1, 2), {"d": 4}),
        (everything, (1, 2, 3, 4, 5), {"d": 4, "x": 6}),
        (everything, (1,), {"b": 2, "d": 4, "e": 9}),
        (simple, (1,), {}),
        (simple, (), {"b": 1, "a": 0}),
        (keywords, (), {"path": "/", "mode": 7}),
    ],
)
def test_a_call_by_the_bound_names_is_the_same_call(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    binding = Binding(function)
    run_args, run_kwargs = binding.unbind(binding.bind(args, kwargs))
    assert function(*run_args, **run_kwargs) == function(*args, **kwargs)


@given(st.lists(st.integers(), max_size=4), st.dictionaries(st.sampled_from("abcdex"), st.integers()))
def test_what_python_accepts_is_bound_alike_and_what_it_refuses_is_a_type_error(
    args: list[int], kwargs: dict[str, int]
) -> None:
    binding = Binding(everything)
    try:
        expected = everything(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError):
            binding.bind(tuple(args), kwargs)
        return
    try:
        named = binding.bind(tuple(args), kwargs)
    except TypeError:
        assert "a" in kwargs or "rest" in kwargs, "only a name that stands twice is refused beyond Python"
        return
    run_args, run_kwargs = binding.unbind(named)
    assert everything(*run_args, **run_kwargs) == expected


def test_defaults_are_filled_in_so_that_they_are_judged_too() -> None:
    assert Binding(simple).bind((1,), {}) == {"a": 1, "b": 2}


def test_names_out_of_kwargs_stand_beside_the_declared_ones() -> None:
    assert Binding(keywords).bind((), {"path": "/"}) == {"path": "/"}


def test_a_callable_without_a_signature_takes_its_arguments_under_args() -> None:
    assert Binding(dict.fromkeys).bind((["a"], 1), {})
    assert Binding(iter).bind(([1],), {}) == {"args": ([1],)}


def test_self_is_not_an_argument() -> None:
    class Tool:
        def run(self, query: str) -> str:
            return query

    assert Binding(Tool.run, skip_first=True).bind(("x",), {}) == {"query": "x"}


def test_what_was_given_by_position_is_handed_on_by_position() -> None:
    binding = Binding(simple)
    assert binding.unbind(binding.bind((1,), {"b": 3}), positional=1) == ((1,), {"b": 3})
    assert binding.unbind(binding.bind((1,), {}), positional=1) == ((1,), {"b": 2})
    assert binding.unbind(binding.bind((), {"a": 1}), positional=0) == ((), {"a": 1, "b": 2})
    named = Binding(keywords)
    assert named.unbind(named.bind((), {"path": "/"}), positional=0) == ((), {"path": "/"})
