"""Whether LangChain's tools still are called and parsed as the adapter knows it."""

from __future__ import annotations

import inspect

from agentcop._seams.patches import is_patched
from agentcop.adapters._langchain.arguments import PARSER
from agentcop_core.errors import NotArmed


def check_tool(owner: type) -> None:
    """`owner`: BaseTool. Raises NotArmed, with what is missing."""
    for attribute in ("run", "arun"):
        _check_run(owner, attribute)
    if not inspect.isfunction(vars(owner).get(PARSER)):
        raise NotArmed(f"{owner.__qualname__}.{PARSER} is gone: a judged call could not be handed to its tool")


def _check_run(owner: type, attribute: str) -> None:
    """`run` as the adapter knows it: takes `tool_input` and `tool_call_id`, and parses by the tool's own method."""
    method = vars(owner).get(attribute)
    if not inspect.isfunction(method):
        raise NotArmed(f"{owner.__qualname__}.{attribute} is gone: nobody would see its tool calls")
    missing = {"tool_input", "tool_call_id"} - inspect.signature(method).parameters.keys()
    if missing:
        raise NotArmed(f"{owner.__qualname__}.{attribute} takes no {', '.join(sorted(missing))} any more")
    if not is_patched(method) and PARSER not in method.__code__.co_names:
        raise NotArmed(f"{owner.__qualname__}.{attribute} does not parse by {PARSER} any more")
