"""The operations endpoint as a process: health, readiness, metrics, and the pages it is given."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from agentcop_core.errors import AgentCopError
from agentcop_detectors.receive.address import Address, CannotListen
from agentcop_detectors.service.health import look
from agentcop_detectors.service.metrics import exposition
from agentcop_detectors.service.status import Publisher, read_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentcop_detectors.service.child import Stop
    from agentcop_detectors.service.settings import Settings

_log = logging.getLogger("agentcop")

NAME: Final = "operations"
_SCORER: Final = "scorer"
_SAY_SECONDS: Final = 0.5
_NOT_HERE: Final = (
    "The pages show what agents did, and ask nobody who they are: they are served on a loopback address only. "
    "Reach them through a tunnel, or start the detector with --operations 127.0.0.1:4319."
)


def operate(
    settings: Settings, processes: Sequence[str], pages: Callable[[Settings], ASGIApp] | None, stop: Stop
) -> None:
    """Serve until stopped. `processes`: those that make the service ready. Blocks; raises CannotListen."""
    listening = _listen(settings.operations)
    address = Address(host=settings.operations.host, port=listening.getsockname()[1])
    config = uvicorn.Config(
        application(settings, processes, pages),
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=200,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    asyncio.run(_serve(server, listening, stop, Publisher(settings.status, NAME), address))


def application(settings: Settings, processes: Sequence[str], pages: Callable[[Settings], ASGIApp] | None) -> Starlette:
    """The routes; what is none of them goes to the pages."""

    def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    def readyz(_: Request) -> Response:
        health = look(settings.status, processes, time.time())
        words = {status.name: status.words for status in health.statuses if status.words}
        said = {"ready": health.ready, "problems": health.problems, "listens": words}
        return JSONResponse(said, 200 if health.ready else 503, {"Cache-Control": "no-store"})

    def metrics(_: Request) -> Response:
        health = look(settings.status, processes, time.time())
        up = {name: name not in health.problems for name in processes}
        return Response(exposition(health.statuses, up), media_type=CONTENT_TYPE_LATEST)

    routes: list[Route | Mount] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
    if pages is not None:
        routes.append(Mount("/", _Pages(settings, pages) if settings.operations.loopback else _not_here))
    return Starlette(routes=routes)


class _Pages:
    """The pages, made when somebody first asks for one, once the scorer has opened the database.

    Who guards them against requests under foreign names are the pages themselves.
    """

    def __init__(self, settings: Settings, make: Callable[[Settings], ASGIApp]) -> None:
        self._settings = settings
        self._make = make
        self._made: ASGIApp | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI calls it."""
        try:
            made = await self._pages()
        except (AgentCopError, OSError):
            _log.exception("agentcop: the pages cannot be opened")
            made = None
        if made is None:
            answer = PlainTextResponse("The detector is starting, or its log says why there are no pages.\n", 503)
            await answer(scope, receive, send)
            return
        await made(scope, receive, send)

    async def _pages(self) -> ASGIApp | None:
        async with self._making:
            if self._made is None and read_status(self._settings.status, _SCORER) is not None:
                self._made = await asyncio.to_thread(self._make, self._settings)
            return self._made


class _Server(uvicorn.Server):
    """Leaves the signals alone: the supervisor alone says when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def _not_here(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(_NOT_HERE + "\n", 403)(scope, receive, send)


def _listen(address: Address) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address.host, address.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise CannotListen(f"{address}: cannot be listened on (operations): {error.strerror or error}") from None
    return listening


async def _serve(
    server: uvicorn.Server, listening: socket.socket, stop: Stop, publisher: Publisher, address: Address
) -> None:
    serving = asyncio.create_task(server.serve([listening]))
    while not serving.done() and not stop.is_set():
        publisher.publish(ready=server.started, why="" if server.started else "it starts", words={"at": str(address)})
        await asyncio.sleep(_SAY_SECONDS if server.started else 0.05)
    server.should_exit = True
    await serving
