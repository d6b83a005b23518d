"""LangChain's tools in a box: their bodies are shipped, and all that LangChain does around them stays here."""

from __future__ import annotations

import inspect
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from agentcop._seams.packages import package_of
from agentcop.adapters._langchain.arguments import PARSER
from agentcop.adapters._langchain.mcp import name_at_server
from agentcop.adapters._langchain.remade import init_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentcop_processor.sandbox.parcel import Parcel

_FRAMEWORK = "langchain_core"
_LEAVE = "leave it out of `sandbox.tools`"
_CALLED = ("run", "arun", "invoke", "ainvoke")
_BODIES = ("_run", "_arun")


def ship_run(tool: Any) -> Parcel:  # noqa: ANN401 -- the framework is not imported
    """What a call of `run` runs. Raises NotShippable."""
    return _ship(tool, awaited=False)


def ship_arun(tool: Any) -> Parcel:  # noqa: ANN401 -- the framework is not imported
    """What a call of `arun` runs: where the tool has no body to be awaited, the other. Raises NotShippable."""
    return _ship(tool, awaited=True)


def stand_in(tool: Any, run_boxed: Callable[[], object], run_boxed_async: Callable[[], Awaitable[object]]) -> object:  # noqa: ANN401 -- the framework is not imported
    """The tool once more, of the same class and with all that it holds, whose body is the box's.

    It parses by the tool itself, for whom the judged arguments are kept. What LangChain gives a body beside them, as
    its callbacks, stays here. Nobody but LangChain's own `run` or `arun` gets to see this object.
    """

    def body(*_: Any, **__: Any) -> object:
        return run_boxed()

    async def awaited_body(*_: Any, **__: Any) -> object:
        return await run_boxed_async()

    # Its class, and with that what LangChain asks it, is the tool's: a method is found in the object first.
    twin = object.__new__(type(tool))
    held = {"_run": body, "_arun": awaited_body, PARSER: getattr(tool, PARSER)}
    object.__setattr__(twin, "__dict__", {**vars(tool), **held})
    for name in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
        value = getattr(tool, name, None)
        object.__setattr__(twin, name, value.copy() if isinstance(value, set | dict) else value)
    # A class may answer with something else than what stands in the object, and not at the first time.
    if not _reads_plainly(type(tool)) or twin._run is not body or twin._arun is not awaited_body:
        raise TypeError("the tool's class does not let its body be replaced")
    return twin


def _ship(tool: Any, *, awaited: bool) -> Parcel:  # noqa: ANN401 -- the framework is not imported
    from agentcop_processor.sandbox.shipping import STAY, refusal, ship_class, ship_function  # once a policy asks

    name, cls = str(tool.name), type(tool)
    if name_at_server(tool):
        raise refusal(name, "it runs at an MCP server", _LEAVE)
    if own := next((each for each in _CALLED if not _is_frameworks(cls, each)), ""):
        raise refusal(name, f"its class has a method {own} of its own", f"put the work into its `_run` {STAY}")
    if not _reads_plainly(cls):
        raise refusal(name, "its class makes its body anew whenever that is asked for", f"define `_run` plainly {STAY}")
    if own := next((each for each in (*_CALLED, *_BODIES) if each in vars(tool)), ""):
        raise refusal(name, f"its {own} was replaced since it was made", f"put the work into its class {STAY}")
    method = "_arun" if awaited and _owner(cls, "_arun").__name__ != "BaseTool" else "_run"
    if not _is_frameworks(cls, method):
        return ship_class(cls, init_of(tool), method)
    function = (getattr(tool, "coroutine", None) if awaited else None) or getattr(tool, "func", None)
    if function is None:
        raise refusal(name, "it has no function for a call that is not awaited", "call it by `ainvoke`")
    if taken := _config_of(function):
        raise refusal(name, f"it takes LangChain's {taken}, which stays here", f"give it a default {STAY}")
    if _made_of(function):
        raise refusal(name, "LangChain made it of an agent, a retriever or the like, which stays here", _LEAVE)
    return ship_function(function, name)


def _owner(cls: type, method: str) -> type:
    return next(each for each in cls.__mro__ if method in vars(each))


def _is_frameworks(cls: type, method: str) -> bool:
    return package_of(_owner(cls, method)) == _FRAMEWORK


def _reads_plainly(cls: type) -> bool:
    """Whether a body that stands in an object is what Python finds there, whatever the class would rather give."""
    plain = all(isinstance(inspect.getattr_static(cls, each), FunctionType) for each in _BODIES)
    return plain and getattr(cls, "__getattribute__", None) is object.__getattribute__


def _made_of(function: object) -> bool:
    """Whether it is one that LangChain makes inside of a function of its own."""
    inner = getattr(function, "func", function)  # of a partial
    module, name = str(getattr(inner, "__module__", "")), str(getattr(inner, "__qualname__", ""))
    own = module.partition(".")[0] in {_FRAMEWORK, "langchain", "langchain_classic", "langgraph"}
    return own and (inner is not function or "<locals>" in name)


def _config_of(function: Callable[..., object]) -> str:
    """The parameter by which a function asks for LangChain's configuration or callbacks, and cannot do without."""
    base = sys.modules["langchain_core.tools.base"]
    try:
        parameters = inspect.signature(function).parameters
        config = base._get_runnable_config_param(function)  # noqa: SLF001 -- as LangChain itself finds it
    except (TypeError, ValueError):
        return ""
    for name in (config, "callbacks"):
        if name in parameters and parameters[name].default is inspect.Parameter.empty:
            return str(name)
    return ""
