"""Slack's incoming webhooks and its chat.postMessage on a free loopback port, with the limits and answers it documents.

The same server takes what is posted to `/hook`, as a webhook of nobody in particular.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SECRET_PATH = "/services/T000/B000/canarywebhookpath"
BOT_TOKEN = "xoxb-1111-canarybottoken"
CHANNELS = {"#agents": "C0AGENTS", "C0AGENTS": "C0AGENTS"}
_TEXT_LIMITS = {"section": 3000, "header": 150, "context": 3000}
_LIVE = re.compile(r"<(?!https?://)[!@#]?[^>]*>")


class SlackServer:
    """`answers` are (status, headers, body), given out first to last; then the message is checked and taken."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.replies: list[dict[str, Any]] = []
        """Answers of chat.postMessage, given out first to last; then the message is checked and taken."""
        self.said: list[dict[str, Any]] = []
        """What chat.postMessage took, with the `ts` that it gave."""
        self.attempts = 0
        self.hold: threading.Event | None = None
        self.port = 0
        self._arrived = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> SlackServer:
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                slack.attempts += 1
                if slack.hold is not None:
                    slack.hold.wait(30)
                kind, token = self.headers.get("Content-Type", ""), self.headers.get("Authorization", "")
                if self.path == "/api/chat.postMessage":
                    status, headers, text = slack._post_message(kind, token, body)
                else:
                    status, headers, text = slack._answer(self.path, kind, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that went away is part of the tests."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{SECRET_PATH}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def hook(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def _post_message(self, kind: str, token: str, body: bytes) -> tuple[int, dict[str, str], str]:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self.answers:
            return self.answers.pop(0)
        if self.replies:
            return 200, headers, json.dumps(self.replies.pop(0))
        message = json.loads(body)
        error = ""
        if token != f"Bearer {BOT_TOKEN}":
            error = "invalid_auth"
        elif message.get("channel") not in CHANNELS:
            error = "channel_not_found"
        elif message.get("thread_ts") and message["thread_ts"] not in {each["ts"] for each in self.said}:
            error = "thread_not_found"
        elif wrong := _wrong(kind, body):
            self.refused.append(wrong)
            error = wrong.partition(":")[0]
        if error:
            return 200, headers, json.dumps({"ok": False, "error": error})
        channel, ts = CHANNELS[message["channel"]], f"1800000000.{len(self.said):06d}"
        with self._arrived:
            self.said.append({**message, "ts": ts})
            self._arrived.notify_all()
        return (
            200,
            headers,
            json.dumps({"ok": True, "channel": channel, "ts": ts, "message": {"text": message["text"]}}),
        )

    def wait_for(self, count: int, seconds: float = 20.0) -> list[dict[str, Any]]:
        """The messages, as soon as there are `count`; fails if they do not come."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.messages) >= count, seconds)
            assert came, f"{len(self.messages)} of {count} messages; refused: {self.refused}"
        return list(self.messages)

    def _answer(self, path: str, kind: str, body: bytes) -> tuple[int, dict[str, str], str]:
        if self.answers:
            return self.answers.pop(0)
        if path.partition("?")[0] == "/hook":
            self.posted.append(json.loads(body))
            return 204, {}, ""
        if path != SECRET_PATH:
            return 404, {}, "no_service"
        wrong = _wrong(kind, body)
        with self._arrived:
            if wrong:
                self.refused.append(wrong)
                return 400, {}, wrong
            self.messages.append(json.loads(body))
            self._arrived.notify_all()
        return 200, {}, "ok"


def words(message: dict[str, Any]) -> str:
    """All text of a message, in order: what somebody reads."""
    found = [message["text"]]
    for block in message.get("blocks", []):
        elements = block.get("elements", [block.get("text")])
        found += [element["text"] for element in elements if isinstance(element, dict)]
    return "\n".join(found)


def live_parts(message: dict[str, Any]) -> list[str]:
    """Mentions and channel references that Slack would act on; links are none."""
    return _LIVE.findall(words(message))


def _wrong(kind: str, body: bytes) -> str:
    try:
        message = json.loads(body)
    except ValueError:
        return "invalid_payload"
    if "application/json" not in kind:
        return "invalid_payload"
    if not message.get("text", "").strip() or len(message["text"]) > 40_000:
        return "no_text"
    blocks = message.get("blocks", [])
    if len(blocks) > 50:
        return "invalid_blocks: more than 50"
    return next((wrong for block in blocks if (wrong := _wrong_block(block))), "")


def _wrong_block(block: dict[str, Any]) -> str:
    limit = _TEXT_LIMITS.get(block.get("type", ""), 0)
    if not limit:
        return f"invalid_blocks: type {block.get('type')}"
    elements = block["elements"] if block["type"] == "context" else [block["text"]]
    if not 1 <= len(elements) <= 10:
        return "invalid_blocks: elements"
    allowed = {"plain_text"} if block["type"] == "header" else {"plain_text", "mrkdwn"}
    if any(element.get("type") not in allowed for element in elements):
        return "invalid_blocks: text object"
    length = max(len(element.get("text", "")) for element in elements)
    return "" if 1 <= length <= limit else f"invalid_blocks: {length} characters in a {block['type']}"
