"""Whether the SDK's tools still parse, bind and stream as the adapter knows it."""

from __future__ import annotations

import inspect
import sys

from agentcop._seams.held import bare
from agentcop.adapters._openai_agents.arguments import own_schema
from agentcop.adapters._openai_agents.kinds import TOOLS
from agentcop.adapters._places import Place, classes
from agentcop_core.errors import NotArmed


def check_stream(stream: Place) -> None:
    """Raises NotArmed where nobody would know when a streamed run ends."""
    for owner in classes(stream):
        if "run_loop_task" not in getattr(owner, "__dataclass_fields__", {}):
            raise NotArmed(f"{owner.__qualname__}.run_loop_task is gone: nobody would know when a streamed run ends")


def check_binding(schema: Place) -> None:
    """A function tool made now must show how it parses, and bind by the method that is patched. Raises NotArmed."""

    async def probe(text: str) -> str:
        """Give back what is given."""
        return text

    tool = sys.modules[TOOLS].function_tool(probe)
    if own_schema(bare(tool.on_invoke_tool)) is None:
        raise NotArmed("a function tool does not show any more how it parses its arguments")
    for owner in classes(schema):
        if not inspect.isfunction(vars(owner).get("to_call_args")):
            raise NotArmed(f"{owner.__qualname__}.to_call_args is gone: a judged call could not be handed to its tool")
