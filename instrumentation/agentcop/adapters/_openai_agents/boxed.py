"""Function tools of the OpenAI Agents SDK in a box: the Python function is shipped, all that is around it stays here.

`function_tool` keeps the function in a closure, between what parses the model's text and what makes a text of its
result or its error. A stand-in is made of the same code, with another function in that one place.
"""

from __future__ import annotations

import copy
import inspect
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

from agentcop._seams.held import bare
from agentcop.adapters._openai_agents.arguments import (
    IMPLEMENTATION,
    contents,
    implementation,
    made_by_the_sdk,
    own_schema,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentcop_processor.sandbox.parcel import Parcel

_FUNCTION = "the_func"
"""What `function_tool` calls the function in its own code, in all versions."""


def ship(tool: Any) -> Parcel:  # noqa: ANN401 -- the framework is not imported
    """How a box makes the Python function that the tool was made of. Raises NotShippable."""
    from agentcop_processor.sandbox.shipping import STAY, refusal, ship_function  # once a policy asks

    name, held = str(tool.name), bare(tool.on_invoke_tool)
    schema, function = own_schema(held), _function_in(implementation(held))
    if schema is None or function is None:
        why = "it was not made of a Python function by `function_tool`"
        raise refusal(name, why, "leave it out of `sandbox.tools`")
    if schema.takes_context:
        raise refusal(
            name, "its function takes the run's context, which stays here", f"let it take plain values {STAY}"
        )
    return ship_function(function, name)


def stand_in(tool: Any, run_boxed: Callable[[], object], run_boxed_async: Callable[[], Awaitable[object]]) -> object:  # noqa: ANN401 -- the framework is not imported
    """The tool's body once more, with the box's work in the place of the function's. Nobody but this call has it."""
    held: Any = bare(tool.on_invoke_tool)
    made: Any = implementation(held)
    function = _function_in(made)
    if function is None:
        raise TypeError("the tool was changed since it was judged: no function of its own is in it")

    def body(*_: Any, **__: Any) -> object:
        return run_boxed()

    async def awaited_body(*_: Any, **__: Any) -> object:
        return await run_boxed_async()

    other = awaited_body if inspect.iscoroutinefunction(function) else body
    replaced = _with(made, function, other)
    if _function_in(replaced) is not other:
        raise TypeError("the SDK keeps the tool's function in another place than is known")
    if made is held:
        return replaced
    twin = copy.copy(held)
    setattr(twin, IMPLEMENTATION, replaced)
    return twin


def _function_in(made: object) -> Callable[..., object] | None:
    for each in made_by_the_sdk(made):
        for name, cell in _cells(each):
            if name == _FUNCTION and callable(found := contents(cell)):
                return found
    return None


def _with(made: FunctionType, function: object, other: Callable[..., object]) -> FunctionType:
    """The same code, where `other` stands in the place of `function`."""
    cells = []
    for name, cell in _cells(made):
        held = contents(cell)
        if name == _FUNCTION and held is function:
            cells.append(CellType(other))
        elif isinstance(held, FunctionType) and held is not made and _function_in(held) is function:
            cells.append(CellType(_with(held, function, other)))
        else:
            cells.append(cell)
    again = FunctionType(made.__code__, made.__globals__, made.__name__, made.__defaults__, tuple(cells))
    again.__kwdefaults__ = made.__kwdefaults__
    again.__dict__.update(made.__dict__)
    return again


def _cells(made: FunctionType) -> zip[tuple[str, CellType]]:
    return zip(made.__code__.co_freevars, made.__closure__ or (), strict=True)
