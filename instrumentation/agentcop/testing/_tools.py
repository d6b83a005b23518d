"""The two tools that every exercise of the suite calls, and what is known about their calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

Shape = Literal["sync", "async", "stream", "astream", "batch", "parallel", "sub_agent", "direct"]
"""`sync`, `async`: the agent is run and answers. `stream`, `astream`: it is iterated to its end. `batch`: several runs
asked for at once. `parallel`: the model asks for both calls in one turn. `sub_agent`: an agent that nobody wrapped
makes the calls, inside the one that is wrapped. `direct`: the tools are wrapped and called without any agent."""

SHAPES: tuple[Shape, ...] = get_args(Shape)


class Tools:
    """What the agents under test are built from. `ran` is all that counts: it says which bodies ran, in order."""

    def __init__(self) -> None:
        """Nothing ran yet."""
        self.ran: list[str] = []

    def lookup(self, query: str) -> str:
        """Look something up."""
        self.ran.append(f"lookup {query}")
        return f"found {query}"

    def wipe(self, path: str) -> str:
        """Delete everything below a path."""
        self.ran.append(f"wipe {path}")
        return f"wiped {path}"

    def delegate(self) -> None:
        """Said by a tool called `delegate`, through which one agent asks another: every policy here allows it."""
        self.ran.append("delegate")


Exercise = Callable[[Tools, Callable[[Any], Any]], object]
"""One shape of one framework: `exercise(tools, wrap)`.

Builds an agent whose tools are called `lookup` and `wipe` and do what `tools` does, passes it through `wrap` (which
must give back the same object), runs it so that its model asks for `lookup("x")` and `wipe("y")`, and returns what the
caller gets, in a form that can be compared: text, dicts and lists. A refusal that the framework feeds to its model is
no reason to stop; one that reaches the caller is left alone. In the shape `batch` the calls are made by two runs or
more.
"""
