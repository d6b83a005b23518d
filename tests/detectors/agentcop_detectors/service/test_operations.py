"""The operations endpoint: health for everybody, pages for those who look from this machine."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from agentcop_detectors.receive.address import Address
from agentcop_detectors.service.operations import application
from agentcop_detectors.service.settings import Settings
from agentcop_detectors.service.status import Publisher

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp


def pages(_: Settings) -> ASGIApp:
    return Starlette(routes=[Route("/runs/{trace}", lambda request: PlainTextResponse(request.path_params["trace"]))])


def settings(home: Path, host: str = "127.0.0.1") -> Settings:
    return Settings(home=home, operations=Address(host=host, port=4319), database="sqlite://", retain_days=1)


async def ask(app: ASGIApp, path: str, host: str) -> tuple[int, str]:
    """Status and body, by ASGI's own protocol: no client is needed that one would have to install."""
    said: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        said.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", host.encode("latin-1"))],
    }
    await app(scope, receive, send)
    body = b"".join(part for message in said if isinstance(part := message.get("body", b""), bytes))
    status = said[0]["status"]
    assert isinstance(status, int)
    return status, body.decode()


def asked(app: ASGIApp, path: str, host: str = "127.0.0.1:4319") -> tuple[int, str]:
    import asyncio

    return asyncio.run(ask(app, path, host))


def test_it_is_alive_before_it_is_ready(tmp_path: Path) -> None:
    app = application(settings(tmp_path), ["front"], None)
    assert asked(app, "/healthz") == (200, "alive\n")
    code, body = asked(app, "/readyz")
    assert code == 503
    assert "it has not started yet" in body
    Publisher(tmp_path / "detector" / "status", "front", clock=time.time).publish(ready=True)
    assert asked(app, "/readyz")[0] == 200
    assert f'"pid":{os.getpid()}' not in asked(app, "/readyz")[1]


def test_metrics_answer_before_anybody_counted(tmp_path: Path) -> None:
    code, body = asked(application(settings(tmp_path), ["front"], None), "/metrics")
    assert code == 200
    assert 'agentcop_detector_up{process="front"} 0.0' in body


def test_the_pages_are_made_once_the_scorer_has_opened_the_database(tmp_path: Path) -> None:
    made: list[Settings] = []

    def counted(given: Settings) -> ASGIApp:
        made.append(given)
        return pages(given)

    app = application(settings(tmp_path), ["front"], counted)
    assert asked(app, "/runs/abc")[0] == 503
    assert made == []
    Publisher(tmp_path / "detector" / "status", "scorer").publish(ready=True)
    assert asked(app, "/runs/abc") == (200, "abc")
    assert asked(app, "/runs/def") == (200, "def")
    assert len(made) == 1


def test_pages_that_cannot_be_opened_cost_nothing_else(tmp_path: Path) -> None:
    def broken(_: Settings) -> ASGIApp:
        raise OSError("the database is away")

    app = application(settings(tmp_path), ["front"], broken)
    Publisher(tmp_path / "detector" / "status", "scorer").publish(ready=True)
    assert asked(app, "/runs/abc")[0] == 503
    assert asked(app, "/healthz")[0] == 200


@pytest.mark.parametrize("listens", ["192.0.2.1", "::"])
def test_beyond_loopback_there_is_health_and_no_page(tmp_path: Path, listens: str) -> None:
    app = application(settings(tmp_path, listens), ["front"], pages)
    assert asked(app, "/healthz", "detector.example")[0] == 200
    assert asked(app, "/metrics", "detector.example")[0] == 200
    code, body = asked(app, "/runs/abc")
    assert code == 403
    assert "--operations 127.0.0.1:4319" in body
