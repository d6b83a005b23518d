"""Real MCP servers of either version of the library, over stdio, HTTP and memory, and sessions connected to them.

A server writes down what its tools did: that is all that counts. Imports mcp.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

try:
    from mcp.client.streamable_http import streamable_http_client
except ImportError:  # before 1.24
    from mcp.client.streamable_http import streamablehttp_client as streamable_http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

KINDS = ("stdio", "http", "memory")
"""How a session reaches its server."""

SERVER = '''
import sys
from pathlib import Path

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver import Context
except ImportError:  # version 1
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.server.fastmcp import Context


def made(effects):
    """A server whose tools add a line to `effects` when they run."""
    server = MCPServer("tools")

    def did(*words):
        with Path(effects).open("a", encoding="utf-8") as file:
            print(*words, file=file)

    @server.tool()
    def lookup(query: str) -> str:
        """Look something up."""
        did("lookup", query)
        return f"found {query}"

    @server.tool()
    def wipe(path: str) -> str:
        """Delete everything below a path."""
        did("wipe", path)
        return f"wiped {path}"

    @server.tool()
    def told(context: Context, query: str = "") -> str:
        """Write down the request's metadata."""
        meta = context.request_context.meta
        shown = meta if isinstance(meta, dict) or meta is None else meta.model_dump(exclude_none=True)
        did("told", query, {key: value for key, value in (shown or {}).items() if key[:2] in {"me", "us", "tr"}})
        return "done"

    @server.tool()
    async def slow(query: str, context: Context) -> str:
        """Report progress, then answer."""
        did("slow", query)
        await context.report_progress(1, 2)
        return "done"

    return server


if __name__ == "__main__":
    effects, kind = sys.argv[1:]
    server = made(effects)
    if kind == "stdio":
        server.run("stdio")
    else:
        import socket

        import uvicorn

        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        print(taken.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="error")).run([taken])
'''


class Served:
    """One server and what its tools did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.effects = folder / "effects"
        self.program = folder / "server.py"
        self.program.write_text(SERVER, encoding="utf-8")

    @property
    def ran(self) -> list[str]:
        """What the tools did, in order."""
        return self.effects.read_text(encoding="utf-8").splitlines() if self.effects.exists() else []

    def in_memory(self) -> Any:
        """A server object in this process."""
        namespace: dict[str, Any] = {"__name__": "server"}
        exec(compile(SERVER, str(self.program), "exec", dont_inherit=True), namespace)  # noqa: S102 -- our own text
        return namespace["made"](self.effects)

    def parameters(self) -> StdioServerParameters:
        """How it is started over stdio."""
        return StdioServerParameters(command=sys.executable, args=[str(self.program), str(self.effects), "stdio"])

    @contextmanager
    def over_http(self) -> Iterator[str]:
        """The URL of it, on a free port of the loopback."""
        command = [sys.executable, str(self.program), str(self.effects), "http"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
            finally:
                process.terminate()

    @asynccontextmanager
    async def session(self, kind: str, **options: Any) -> AsyncIterator[ClientSession]:
        """A session that is connected to it and has shaken hands."""
        async with AsyncExitStack() as stack:
            if kind == "stdio":
                streams = await stack.enter_async_context(stdio_client(self.parameters()))
            elif kind == "http":
                url = stack.enter_context(self.over_http())
                streams = await stack.enter_async_context(streamable_http_client(url))
            else:
                streams = await stack.enter_async_context(memory_streams(self.in_memory()))
            session = await stack.enter_async_context(ClientSession(streams[0], streams[1], **options))
            await session.initialize()
            yield session


@asynccontextmanager
async def memory_streams(server: Any) -> AsyncIterator[tuple[Any, Any]]:
    """The client's ends of streams to a server object that runs in this process."""
    from mcp.shared.memory import create_client_server_memory_streams

    inner = getattr(server, "_lowlevel_server", None) or getattr(server, "_mcp_server", server)
    async with create_client_server_memory_streams() as (ours, theirs), anyio.create_task_group() as tasks:
        tasks.start_soon(inner.run, theirs[0], theirs[1], inner.create_initialization_options())
        try:
            yield ours
        finally:
            tasks.cancel_scope.cancel()


def text_of(result: Any) -> str:
    """The text of a result, whatever class it has."""
    return "".join(block.text for block in result.content)


def is_error(result: Any) -> bool:
    """Whether a result is an error, in either version's words."""
    return bool(result.is_error if hasattr(result, "is_error") else result.isError)
