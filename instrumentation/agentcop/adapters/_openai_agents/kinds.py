"""The kinds of tools that the SDK has: which run here and where those hold their bodies, and which do not."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from agentcop.adapters._places import is_any

TOOLS = "agents.tool"
"""The module that has them all."""

BODIES: dict[str, tuple[str, ...]] = {
    "FunctionTool": ("on_invoke_tool",),
    "CustomTool": ("on_invoke_tool",),
    "LocalShellTool": ("executor",),
    "ShellTool": ("executor",),
    "ApplyPatchTool": ("editor", "create_file", "update_file", "delete_file"),
    "ComputerTool": (),
}
"""The tools that run in this process, where each holds its body, and what of that is called, if not itself.

Some are younger than others, and an older SDK does not have them. What a computer holds is called for each piece of a
call, so its calls are judged a step above.
"""


def runs_here(tool: Any) -> bool:  # noqa: ANN401 -- the framework is not imported
    """Whether the calls of this tool pass in this process. A shell may stand in a container of the provider's."""
    return is_any(tool, *((TOOLS, name) for name in BODIES)) and not (
        hasattr(tool, "executor") and tool.executor is None
    )


def kinds() -> tuple[type, ...]:
    """Every kind of tool that the SDK names, those of the provider among them."""
    named = vars(sys.modules[TOOLS]).items() if TOOLS in sys.modules else ()
    return tuple(value for name, value in named if inspect.isclass(value) and name.endswith("Tool"))
