"""A scripted reply in the form of OpenAI's Responses API, whole and as a stream. Standard library only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_server import Reply


def response(reply: Reply, body: dict[str, Any], number: int) -> dict[str, Any]:
    """The answer to one request."""
    return {
        **_head(body, number, "completed"),
        "output": list(_items(reply, number)),
        "usage": {
            "input_tokens": reply.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": reply.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        },
    }


def events(reply: Reply, body: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """The same as server-sent events, each item whole."""
    whole = response(reply, body, number)
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**_head(body, number, "in_progress"), "output": [], "usage": None}}
    ]
    for place, item in enumerate(whole["output"]):
        told += [
            {"type": "response.output_item.added", "output_index": place, "item": item},
            {"type": "response.output_item.done", "output_index": place, "item": item},
        ]
    told.append({"type": "response.completed", "response": whole})
    for sequence, event in enumerate(told):
        yield {**event, "sequence_number": sequence}


def _head(body: dict[str, Any], number: int, status: str) -> dict[str, Any]:
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": body.get("model", "scripted"),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    }


def _items(reply: Reply, number: int) -> Iterator[dict[str, Any]]:
    if reply.text:
        yield {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": reply.text, "annotations": []}],
        }
    for index, (name, arguments) in enumerate(reply.calls):
        yield {
            "id": f"fc_{number}_{index}",
            "type": "function_call",
            "call_id": f"call_{number}_{index}",
            "name": name,
            "arguments": json.dumps(arguments) if reply.raw_arguments is None else reply.raw_arguments,
            "status": "completed",
        }
    for index, item in enumerate(reply.items):
        yield {"id": f"item_{number}_{index}", "call_id": f"item_call_{number}_{index}", "status": "completed", **item}
