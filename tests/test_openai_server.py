"""The scripted server answers as OpenAI's does, for the parts that agents read."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from openai_server import Served, call_tool, openai_server, say


def ask(url: Served, **body: Any) -> bytes:
    data = json.dumps({"model": "gpt-4", "messages": [], **body}).encode()
    request = urllib.request.Request(f"{url}/chat/completions", data)  # noqa: S310 -- a loopback address
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- as above
        return bytes(answer.read())


def test_replies_come_in_order_with_usage_and_requests_are_kept() -> None:
    with openai_server([call_tool("search", query="x"), say("done")]) as url:
        first, second = json.loads(ask(url)), json.loads(ask(url, user="u"))
    (choice,) = first["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"]) == {"query": "x"}
    assert (second["choices"][0]["message"]["content"], second["usage"]["total_tokens"]) == ("done", 18)
    assert url.requests[1]["user"] == "u"


def test_a_streamed_reply_comes_in_pieces_that_add_up_and_ends_with_usage_and_done() -> None:
    with openai_server([say("a longer answer in pieces")]) as url:
        lines = ask(url, stream=True, stream_options={"include_usage": True}).decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    pieces = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]]
    assert "".join(pieces) == "a longer answer in pieces"
    assert sum(map(bool, pieces)) > 1
    assert chunks[-1]["usage"]["prompt_tokens"] == 11


def test_a_reply_is_cut_at_a_stop_sequence_and_one_request_too_many_is_an_error() -> None:
    with openai_server([say("Action: look\nObservation: made up")]) as url:
        reply = json.loads(ask(url, stop=["\nObservation"]))
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(url)
    assert reply["choices"][0]["message"]["content"] == "Action: look"
    with refused.value as answer:
        assert (answer.code, "no reply to request 2" in answer.read().decode()) == (400, True)
