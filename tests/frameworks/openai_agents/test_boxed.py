"""A function tool whose function runs in a box: here it never does, and the SDK does all else as it always did."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from agents import FunctionTool, RunContextWrapper, function_tool

from agentcop import AgentCop, GatePolicy
from agentcop.adapters._openai_agents.arguments import own_schema
from agentcop.adapters._openai_agents.boxed import ship, stand_in
from agentcop_processor.sandbox.parcel import NotShippable
from openai_server import call_tool, say
from parcels import Project, importable, run_parcel
from sdk_agents import agent, model, outputs, run
from tool_boxes import ANSWERS, BOXED, RAN, boxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["boxes"]

pytestmark = pytest.mark.frameworks
LOOKUP = call_tool("lookup", query="x")


def lookup(query: str, most: int = 3) -> str:
    """Look it up."""
    RAN.append(query)
    return query


async def later(query: str, most: int = 3) -> str:
    """Look it up."""
    RAN.append(query)
    return query


def with_context(context: RunContextWrapper[Any], query: str) -> str:
    """Look it up."""
    return query


def read_by_the_model(made: FunctionTool) -> list[Any]:
    guard = AgentCop(agent_id="agent", policy=GatePolicy(default="allow"))
    with model([LOOKUP, say("done")]) as (llm, _):
        return outputs(run(guard.wrap(agent(llm, [made]))))


@pytest.mark.parametrize("function", [lookup, later])
def test_the_function_never_runs_here_and_the_boxs_answer_is_the_tools(function: Callable[..., Any]) -> None:
    ANSWERS.append("from the box")
    assert read_by_the_model(function_tool(function, name_override="lookup")) == ["from the box"]
    assert RAN == []
    ((args, kwargs),) = BOXED
    assert [*args, *kwargs.values()] == ["x", 3]


@pytest.mark.parametrize("function", [lookup, later])
def test_an_error_from_the_box_is_told_to_the_model_as_the_tools_own(function: Callable[..., Any]) -> None:
    def told(_: Any, error: Exception) -> str:
        return f"told: {error}"

    ANSWERS.append(ValueError("no rows"))
    made = function_tool(function, name_override="lookup", failure_error_function=told)
    assert read_by_the_model(made) == ["told: no rows"]
    assert RAN == []


class Impostor:
    """Holds what the SDK made of a function, and runs something else."""

    def __init__(self, held: Any) -> None:
        self._invoke_tool_impl = getattr(held, "_invoke_tool_impl", held)

    async def __call__(self, *_: Any) -> str:
        RAN.append("impostor")
        return "not from the box"


IMPOSTOR = """
def function_tool(the_func, schema):
    async def invoke(context, text):
        ran.append((the_func, schema))
        return "not from the box"
    return invoke
"""


def namesake(held: Any) -> Any:
    """A function that bears the name of one of the SDK's, and has in it what those have."""
    names: dict[str, Any] = {"__name__": "agents.tool", "ran": RAN}
    exec(IMPOSTOR, names)  # noqa: S102 -- the text above
    return names["function_tool"](lookup, own_schema(held))


@pytest.mark.parametrize("impostor", [Impostor, namesake])
def test_a_body_that_only_looks_like_the_sdks_is_refused(impostor: Callable[[Any], Any]) -> None:
    made = function_tool(lookup)
    made.on_invoke_tool = impostor(made.on_invoke_tool)
    with pytest.raises(NotShippable, match="was not made of a Python function"):
        ship(made)
    with pytest.raises(TypeError):
        stand_in(made, lambda: "boxed", never)


def test_a_copy_of_a_tool_is_boxed_as_well() -> None:
    ANSWERS.append("from the box")
    assert read_by_the_model(copy.copy(function_tool(lookup))) == ["from the box"]
    assert RAN == []


def test_a_tool_that_is_called_again_has_its_own_function_still() -> None:
    ANSWERS.extend(["second", "first"])
    made = function_tool(lookup)
    assert read_by_the_model(made) == ["first"]
    assert read_by_the_model(made) == ["second"]
    assert len(BOXED) == 2


async def own(_: Any, text: str) -> str:
    RAN.append(text)
    return text


async def never() -> object:
    raise AssertionError


def test_a_tool_whose_body_was_replaced_since_it_was_judged_has_no_stand_in_that_would_run_it_here() -> None:
    made = function_tool(lookup)
    made.on_invoke_tool = own
    with pytest.raises(TypeError, match="changed since it was judged"):
        stand_in(made, lambda: "boxed", never)
    assert RAN == []


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with importable(tmp_path) as made:
        yield made


def test_the_decorated_function_travels_as_text_without_its_decorator(project: Project, tmp_path: Path) -> None:
    project.write(
        "sdk_tools.py",
        "from agents import function_tool\n"
        "@function_tool\ndef twice(text: str) -> str:\n    'Twice.'\n    return text * 2\n",
    )
    parcel = ship(project.load("sdk_tools").twice)
    assert "agents" not in parcel.source
    assert run_parcel(parcel, tmp_path / "box", "x") == "xx"


async def by_hand(context: Any, text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: function_tool(with_context), "with_context cannot run in a box: its function takes the run's context"),
        (
            lambda: FunctionTool(name="n", description="d", params_json_schema={}, on_invoke_tool=by_hand),
            "n cannot run in a box: it was not made of a Python function",
        ),
        (lambda: agent(None, []).as_tool("inner", "d"), "inner cannot run in a box: "),
    ],
)
def test_what_is_no_plain_function_stays_here_with_the_way_out(made: Callable[[], Any], why: str) -> None:
    with pytest.raises(NotShippable, match=rf"{why}.*Way out: "):
        ship(made())
