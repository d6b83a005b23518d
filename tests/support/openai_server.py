"""A local server that speaks OpenAI's two protocols, chat completions and Responses: scripted replies, also streamed.

    with openai_server([call_tool("search", query="x"), say("done")]) as url:
        os.environ["OPENAI_BASE_URL"] = url
        ...
        url.requests    # the JSON body of each request, in order

Each request takes the next reply; a reply may also be a function of the request, for programs that ask in parallel.
One request too many is answered with HTTP 400, which OpenAI's client does not retry. Standard library only: examples
use it in their own environments.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from openai_responses import events, response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE = 7
"""Characters a streamed piece: small enough that names and arguments arrive in several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of the model."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    """Tools to call, each with its arguments."""
    raw_arguments: str | None = None
    """Sent as the arguments of every call as it stands, for what is no JSON."""
    items: tuple[dict[str, Any], ...] = ()
    """Items of a Responses answer beside text and function calls, which chat completions do not have."""
    prompt_tokens: int = 11
    completion_tokens: int = 7


class Served(str):
    """The server's base URL, to be put into OPENAI_BASE_URL; remembers what was asked."""

    __slots__ = ("__dict__",)
    requests: list[dict[str, Any]]


Scripted = Reply | Callable[[dict[str, Any]], Reply]


def say(text: str) -> Reply:
    """A final answer in words."""
    return Reply(text=text)


def call_tool(name: str, /, **arguments: Any) -> Reply:
    """A request to run one tool."""
    return Reply(calls=((name, arguments),))


def call_tools(*calls: tuple[str, dict[str, Any]]) -> Reply:
    """A request to run several tools at once."""
    return Reply(calls=calls)


@contextmanager
def openai_server(script: Sequence[Scripted]) -> Iterator[Served]:
    """Serve `script` on a free loopback port for the block; gives the base URL, ending in /v1."""
    playing = _Script(script)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": playing}))
    # Threads that wait for a keep-alive client must not hold up the end of the test.
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    url = Served(f"http://127.0.0.1:{server.server_port}/v1")
    url.requests = playing.requests
    try:
        yield url
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class _Script:
    """Gives out the replies, one a request, whichever thread asks."""

    def __init__(self, replies: Sequence[Scripted]) -> None:
        self._replies = list(replies)
        self._lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []

    def take(self, body: dict[str, Any]) -> tuple[int, Reply | None]:
        with self._lock:
            self.requests.append(body)
            number = len(self.requests)
            reply = self._replies.pop(0) if self._replies else None
        return number, reply if reply is None or isinstance(reply, Reply) else reply(body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: _Script

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.endswith(("/chat/completions", "/responses")):
            self._send(404, {"error": {"message": f"no such endpoint: {self.path}"}})
            return
        whole, pieces = (response, events) if self.path.endswith("/responses") else (_completion, _chunks)
        number, reply = self.script.take(body)
        if reply is None:
            self._send(400, {"error": {"message": f"the script has no reply to request {number}"}})
        elif body.get("stream"):
            self._stream(pieces(reply, body, number))
        else:
            self._send(200, whole(reply, body, number))

    def _send(self, status: int, payload: dict[str, Any]) -> None:
        data = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, pieces: Iterator[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            if "type" in piece:
                self.wfile.write(f"event: {piece['type']}\n".encode())
            self.wfile.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def handle_one_request(self) -> None:
        # A client that was stopped by a refusal hangs up in the middle of an answer.
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""


def _completion(reply: Reply, body: dict[str, Any], number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _text(reply, body), "refusal": None}
    if reply.calls:
        message["tool_calls"] = [_call(reply, number, index) for index in range(len(reply.calls))]
    return {
        **_head(body, number, "chat.completion"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}],
        "usage": _usage(reply),
    }


def _chunks(reply: Reply, body: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    head = _head(body, number, "chat.completion.chunk")
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        made = {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        return {**made, "usage": None} if wants_usage else made

    text = _text(reply, body)
    yield chunk({"role": "assistant", "content": None if text is None else ""})
    for piece in _pieces(text or ""):
        yield chunk({"content": piece})
    for index in range(len(reply.calls)):
        call = _call(reply, number, index)
        arguments = call["function"].pop("arguments")
        yield chunk({"tool_calls": [{"index": index, **call, "function": {**call["function"], "arguments": ""}}]})
        for piece in _pieces(arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, _finish(reply))
    if wants_usage:
        yield {**head, "choices": [], "usage": _usage(reply)}


def _head(body: dict[str, Any], number: int, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number}",
        "object": kind,
        "created": 1_700_000_000,
        "model": body.get("model", "scripted"),
        "system_fingerprint": None,
    }


def _call(reply: Reply, number: int, index: int) -> dict[str, Any]:
    name, arguments = reply.calls[index]
    written = json.dumps(arguments) if reply.raw_arguments is None else reply.raw_arguments
    return {"id": f"call_{number}_{index}", "type": "function", "function": {"name": name, "arguments": written}}


def _text(reply: Reply, body: dict[str, Any]) -> str | None:
    """The reply's words up to the first stop sequence, as OpenAI cuts them; null beside tool calls alone."""
    if not reply.text:
        return None if reply.calls else ""
    stops = body.get("stop") or []
    ends = [reply.text.find(stop) for stop in ([stops] if isinstance(stops, str) else stops)]
    return reply.text[: min((end for end in ends if end >= 0), default=len(reply.text))]


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _usage(reply: Reply) -> dict[str, int]:
    total = reply.prompt_tokens + reply.completion_tokens
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": total,
    }


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
