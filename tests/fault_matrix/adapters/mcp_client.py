"""Clients of MCP servers: sessions, and the client classes above them, in front of a real server in this process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.adapters.plain import cancelled, from_a_loop, on_a_thread, on_an_executor, to_thread
from tests.fault_matrix.harness import Harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from tests.fault_matrix.attempt import Call, Job
    from tests.fault_matrix.harness import Feature, Path, Way

_ASYNC = "the client is asynchronous only"
_WHOLE = "a tool's result comes whole"


def _server(job: Job) -> Any:
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("tools")
    for tool in job.tools:
        server.add_tool(tool.body, name=tool.name, description="A tool.")
    return server


@asynccontextmanager
async def _session(server: Any) -> AsyncIterator[Any]:
    """A session over memory, that has shaken hands."""
    from mcp import ClientSession

    from mcp_servers import memory_streams

    async with memory_streams(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


@asynccontextmanager
async def _client(server: Any) -> AsyncIterator[Any]:
    from mcp.client import Client

    async with Client(server) as client:
        yield client


@asynccontextmanager
async def _fastmcp(server: Any) -> AsyncIterator[Any]:
    from fastmcp import Client

    async with Client(server) as client:
        yield client


async def _asked(connected: Any, call: Call) -> None:
    await connected.call_tool(call.tool, dict(call.arguments))


async def _by_request(session: Any, call: Call) -> None:
    """The request itself, past every method that knows of tools."""
    from mcp import types

    params = types.CallToolRequestParams(name=call.tool, arguments=dict(call.arguments))
    await session.send_request(types.CallToolRequest(params=params), types.CallToolResult)


async def _below(client: Any, call: Call) -> None:
    """The session below a client that was wrapped."""
    await client.session.call_tool(call.tool, dict(call.arguments))


async def _one_by_one(connected: Any, calls: Sequence[Call], ask: Callable[[Any, Call], Any]) -> None:
    failed: Exception | None = None
    for call in calls:
        try:
            await ask(connected, call)
        except Exception as error:
            failed = error
    if failed is not None:
        raise failed


async def _gathered(connected: Any, calls: Sequence[Call], ask: Callable[[Any, Call], Any]) -> None:
    for raised in await asyncio.gather(*(ask(connected, call) for call in calls), return_exceptions=True):
        if isinstance(raised, BaseException):
            raise raised


def _asking(job: Job) -> Callable[[str, Mapping[str, Any]], object]:
    """Through a session of its own, behind the same gate, in a loop of its own."""

    async def work(name: str, arguments: Mapping[str, Any]) -> None:
        async with _session(_server(job)) as session:
            job.govern(session, [])
            await session.call_tool(name, dict(arguments))

    def ask(name: str, arguments: Mapping[str, Any]) -> object:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(copy_context().run, asyncio.run, work(name, arguments)).result()

    return ask


def _work(
    job: Job,
    opens: Callable[[Any], Any] = _session,
    make: Callable[[Any, Sequence[Call], Callable[[Any, Call], Any]], Any] = _one_by_one,
    ask: Callable[[Any, Call], Any] = _asked,
) -> Any:
    """Open a connection, wrap it, and make the job's calls through it."""

    async def work() -> None:
        job.ask = _asking(job)
        async with opens(_server(job)) as connected:
            job.govern(connected, [])
            await make(connected, job.at_once if make is _gathered else job.calls, ask)

    return work()


def _awaiting(*how: Any) -> Way:
    return lambda job: cancelled(job, _work(job, *how))


def _two_sessions(job: Job) -> None:
    async def both() -> None:
        for raised in await asyncio.gather(_work(job), _work(job), return_exceptions=True):
            if isinstance(raised, BaseException):
                raise raised

    asyncio.run(both())


def _elsewhere(place: Callable[[Callable[[], object]], None]) -> Way:
    return lambda job: place(lambda: asyncio.run(_work(job)))


def _in_a_tool(job: Job) -> None:
    """Inside the body of a plain tool that is behind the same gate."""

    async def delegate() -> None:
        await _work(job)

    tools = job.govern({"delegate": delegate}, [])
    asyncio.run(tools["delegate"]())


def _lacks(feature: Feature, path: Path) -> str:
    return {
        "objects": "a call's arguments go to the server as JSON",
        "unprintable objects": "a call's arguments go to the server as JSON",
        "positional": "a call's arguments go to the server as JSON",
        "odd names": "a server takes no tool of that name",
        "depth": "the MCP library sends no arguments as deep as that",
        "renaming": "a tool's name is its server's",
        "defaults": "a server fills in its own defaults: the gate judges what goes over",
        "a run": "no agent runs here: nobody counts refusals",
        "a model": "no agent runs here: no model is asked again",
        "async": "" if path == "async" else "nothing here can be cancelled",
        "async agent": "" if path == "async" else "the agent is not async",
        "generator bodies": "a server iterates no generator: such a body never runs",
        "validators": "a server validates at its end: the gate judges what goes over",
        "callbacks": "nothing is called between the verdict and the request",
        "editing": "a client has no dialogue in which a call is edited",
    }.get(feature, "")


def _rename(tool: Any, name: str) -> None:
    raise NotImplementedError(name)


MCP = Harness(
    name="MCP clients",
    environment="mcp2",
    ways={
        "sync": _ASYNC,
        "async": {
            "ClientSession": _awaiting(),
            "Client": _awaiting(_client),
            "fastmcp": _awaiting(_fastmcp),
        },
        "stream": _ASYNC,
        "async stream": _WHOLE,
        "batch": {"two sessions": _two_sessions},
        "parallel": {
            "ClientSession": _awaiting(_session, _gathered),
            "Client": _awaiting(_client, _gathered),
            "fastmcp": _awaiting(_fastmcp, _gathered),
        },
        "thread": {"Thread": _elsewhere(on_a_thread)},
        "executor": {
            "ThreadPoolExecutor": _elsewhere(on_an_executor),
            "run_in_executor": _elsewhere(from_a_loop),
            "to_thread": _elsewhere(to_thread),
        },
        "sub-agent": {"in a tool": _in_a_tool},
        "direct": {
            "send_request": _awaiting(_session, _one_by_one, _by_request),
            "below Client": _awaiting(_client, _one_by_one, _below),
            "below fastmcp": _awaiting(_fastmcp, _one_by_one, _below),
        },
    },
    lacks=_lacks,
    rename=_rename,
    swallowers=lambda path: ("",),
    armed=("mcp", "mcp.client.session"),
)
