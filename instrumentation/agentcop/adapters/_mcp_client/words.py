"""What MCP's results say, and a refusal as one of them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from agentcop.adapters._mcp_client.requests import mcp_types
from agentcop_processor.call.refusals import refusal_text
from agentcop_processor.call.results import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.adapters._interface import ParsedCall
    from agentcop_core.errors import ToolBlocked

_ENOUGH = 16_384
_BLOCKS = 1_000


def refuse(client: object, call: ParsedCall, blocked: ToolBlocked) -> object:  # noqa: ARG001 -- as the interface has it
    """A `CallToolResult` that is an error, as a server's own are, with the refusal for its text."""
    said = {"content": [{"type": "text", "text": refusal_text(blocked)}], "isError": True}
    return mcp_types().CallToolResult.model_validate(said)


def result_text(result: object) -> object:
    """What a model may read of a result: its texts, embedded resources', and its structured content; bounded."""
    if not isinstance(getattr(result, "content", None), list):
        return result
    found: list[str] = []
    room = _ENOUGH
    for text in _texts(result):
        found.append(text[:room])
        room -= len(text)
        if room <= 0:
            break
    return "\n".join(found)


def _texts(result: Any) -> Iterator[str]:  # noqa: ANN401 -- a result of either version
    for block in islice(result.content, _BLOCKS):
        for holder in (block, getattr(block, "resource", None)):
            text = getattr(holder, "text", None)
            if isinstance(text, str):
                yield text
    # Version 2 has both names, and warns of version 1's.
    name = "structured_content" if hasattr(result, "structured_content") else "structuredContent"
    if structured := getattr(result, name, None):
        yield text_of(structured)
