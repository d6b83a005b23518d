"""What objects hold in an attribute is guarded where it is read, and passes for what it guards."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from agentcop import NotArmed
from agentcop._seams import patches
from agentcop._seams.held import bare, hold, holder_of, is_held
from agentcop._seams.wrapping.step import Answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEEN: list[Any] = []


@dataclass
class Tool:
    """Holds a function; an object with a method may stand there too."""

    name: str
    body: Any


def opening(which: str) -> Callable[..., Any]:
    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        SEEN.append((which, *args, kwargs))
        if kwargs.get("refuse"):
            raise Answered("refused")
        return None, args, kwargs

    return begin


@pytest.fixture(autouse=True)
def _unguarded() -> Iterator[None]:
    SEEN.clear()
    yield
    patches.remove_all()


def double(number: int, **_: Any) -> int:
    """Twice as much."""
    return 2 * number


def test_a_call_passes_with_its_holder_first_and_what_is_stored_stays() -> None:
    tool = Tool("a", double)
    hold(Tool, "body", opening)
    assert tool.body(4) == 8
    assert [(f"{id(double):x}", tool, 4, {})] == SEEN
    assert vars(tool)["body"] is double


def test_a_refusal_is_given_in_its_place() -> None:
    hold(Tool, "body", opening)
    assert Tool("a", lambda **_: pytest.fail("it ran")).body(refuse=True) == "refused"


def test_putting_it_back_leaves_nothing() -> None:
    before = dict(vars(Tool))
    hold(Tool, "body", opening)
    patches.remove_all()
    assert dict(vars(Tool)) == before
    assert Tool("a", double).body is double


def test_it_is_the_same_guard_each_time_and_lives_no_longer_than_somebody_holds_it() -> None:
    hold(Tool, "body", opening)
    tool = Tool("a", double)
    assert tool.body is tool.body
    gone = weakref.ref(tool)
    del tool
    gc.collect()
    assert gone() is None


def test_it_passes_for_what_it_guards() -> None:
    hold(Tool, "body", opening)
    body = Tool("a", double).body
    assert (body == double, double == body, hash(body) == hash(double)) == (True, True, True)
    assert isinstance(body, type(double))
    assert (body.__name__, body.__doc__, body.__module__) == ("double", "Twice as much.", __name__)
    assert (inspect.signature(body), body.__annotations__) == (inspect.signature(double), double.__annotations__)
    assert (repr(body), dir(body)) == (repr(double), dir(double))
    assert copy.copy(body) is double
    assert copy.deepcopy(body) is double
    assert pickle.loads(pickle.dumps(body)) is double  # noqa: S301 -- made here and now


def test_what_is_set_on_it_is_set_on_what_it_guards() -> None:
    def own() -> None: ...

    hold(Tool, "body", opening)
    body: Any = Tool("a", own).body
    body.note = "kept"
    assert vars(own) == {"note": "kept"}
    del body.note
    assert vars(own) == {}


def test_nobody_unwraps_it_to_walk_round_the_gate() -> None:
    def outer() -> None: ...

    outer.__wrapped__ = double  # type: ignore[attr-defined]  # as functools.wraps leaves it
    hold(Tool, "body", opening)
    body = Tool("a", outer).body
    assert inspect.unwrap(body) is body
    assert inspect.signature(body) == inspect.signature(double)


def test_a_guard_that_is_put_into_another_holder_is_unwrapped_and_guarded_there() -> None:
    hold(Tool, "body", opening)
    first = Tool("a", double)
    second = replace(first, name="b")
    assert vars(second)["body"] is double
    second.body(1)
    assert [(f"{id(double):x}", second, 1, {})] == SEEN
    assert (holder_of(first.body), bare(first.body), holder_of(double), bare(double)) == (first, double, None, double)


def test_a_method_of_what_is_held_is_guarded_and_the_rest_is_not() -> None:
    class Editor:
        def write(self, text: str) -> str:
            return f"wrote {text}"

        def read(self) -> str:
            return "read"

    hold(Tool, "body", opening, method="write")
    editor = Editor()
    tool = Tool("a", editor)
    assert (tool.body.write("x"), tool.body.read()) == ("wrote x", "read")
    assert [seen[1:] for seen in SEEN] == [(tool, "x", {})]
    assert isinstance(tool.body, Editor)
    assert not callable(tool.body)
    assert tool.body == editor


def test_an_awaited_body_is_awaited_whatever_it_is() -> None:
    class Called:
        async def __call__(self, number: int) -> int:
            return 2 * number

    hold(Tool, "body", opening, is_awaited=True)
    assert asyncio.run(Tool("a", Called()).body(4)) == 8


def test_nothing_held_is_nothing_and_a_class_has_what_it_had() -> None:
    @dataclass
    class Optional:
        body: Any = None

    hold(Optional, "body", opening)
    assert (Optional().body, Optional.body, Optional(None).body) == (None, None, None)
    hold(Tool, "body", opening)
    assert not hasattr(Tool, "body")


def test_slots_methods_and_later_defaults_are_held_too() -> None:
    @dataclass(slots=True)
    class Slotted:
        body: Any

    class Method:
        def body(self, number: int) -> int:
            return 3 * number

    hold(Slotted, "body", opening)
    hold(Method, "body", opening)
    method = Method()
    assert (Slotted(double).body(2), method.body(2)) == (4, 6)
    assert [seen[2] for seen in SEEN] == [2, 2]


def test_it_can_be_taken_away_and_asked_for_in_vain() -> None:
    hold(Tool, "body", opening)
    tool = Tool("a", double)
    del tool.body
    for again in (lambda: tool.body, lambda: delattr(tool, "body")):
        with pytest.raises(AttributeError, match="body"):
            again()


def test_a_decorator_that_puts_a_default_in_its_place_is_seen() -> None:
    hold(Tool, "body", opening)

    @dataclass
    class Late(Tool):
        body: Any = field(default=None)

    assert (is_held(Tool, "body"), is_held(Late, "body")) == (True, False)


def test_a_class_that_takes_no_attributes_is_not_armed() -> None:
    with pytest.raises(NotArmed, match="cannot be guarded"):
        hold(int, "real", opening)
