"""A program that calls MCP servers and does not know of AgentCop, armed by its environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from mcp.client import session as client_session

from agentcop.adapters import installable
from agentcop_core.errors import NotArmed
from mcp_servers import Served
from processes import Program
from receivers import HttpReceiver, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.frameworks

POLICY = "agent_id: armed-agent\ngate:\n  allow: [lookup]\n  block: [wipe]\n  on_block: {}\n"
PROGRAM = """
import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

server = StdioServerParameters(command=sys.executable, args=["server.py", "effects", "stdio"])


async def main():
    async with stdio_client(server) as (read, write):
        async with ClientSession(read, write) as session:
            await session.initialize()
            for name, argument in (("lookup", {"query": "x"}), ("wipe", {"path": "y"})):
                result = await session.call_tool(name, argument)
                print(result.content[0].text)


asyncio.run(main())
"""


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    started = HttpReceiver().start()
    yield started
    started.stop()


def armed(folder: Path, receiver: HttpReceiver, *, on_block: str = "return_message") -> tuple[Program, Served]:
    served = Served(folder)
    program = Program(
        folder=folder,
        environment={
            "AGENTCOP_ENABLED": "1",
            "AGENTCOP_POLICY": "policy.yaml",
            "AGENTCOP_HOME": "state",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        },
    )
    program.file("policy.yaml", POLICY.format(on_block))
    program.file("agent.py", PROGRAM)
    return program, served


def decisions(program: Program) -> list[tuple[str, str]]:
    lines = (program.folder / "state/gate.log").read_text(encoding="utf-8").splitlines()
    parsed: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [(line["tool"], line["verdict"]) for line in parsed if line["kind"] == "decision"]


def test_every_call_is_judged_and_each_has_one_span_with_the_librarys_own_below(
    tmp_path: Path, receiver: HttpReceiver
) -> None:
    program, served = armed(tmp_path, receiver)
    done = program.run("agent.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["found x", "Blocked by policy (gate.block[0]). Do not retry; tell the user."]
    assert served.ran == ["lookup x"]
    assert decisions(program) == [("lookup", "allow"), ("wipe", "block")]
    tools = [span for span in receiver.spans if span.name.startswith("execute_tool")]
    assert [(span.name, attributes_of(span)["agentcop.verdict"]) for span in tools] == [
        ("execute_tool lookup", "allow"),
        ("execute_tool wipe", "block"),
    ]
    assert "NOBODY JUDGES" not in done.stderr


def test_a_loud_refusal_ends_the_program_as_itself_and_not_as_a_group(tmp_path: Path, receiver: HttpReceiver) -> None:
    program, served = armed(tmp_path, receiver, on_block="raise")
    done = program.run("agent.py")
    assert done.returncode == 1
    assert "PolicyBlocked: wipe: blocked by gate.block[0]" in done.stderr
    assert "ExceptionGroup" not in done.stderr
    assert (done.stdout, served.ran) == ("found x\n", ["lookup x"])


WRAPPING = PROGRAM.replace(
    "from mcp.client.stdio import stdio_client\n",
    """from mcp.client.stdio import stdio_client

from agentcop import AgentCop, GatePolicy

cop = AgentCop("wrapping", policy=GatePolicy(allow=["lookup"], block=["wipe"], on_block="raise"))
""",
).replace("await session.initialize()", "await cop.wrap(session).initialize()")


def test_a_loud_refusal_ends_a_program_that_wraps_its_session_as_itself_too(
    tmp_path: Path, receiver: HttpReceiver
) -> None:
    program, served = armed(tmp_path, receiver)
    program.file("wrapping.py", WRAPPING)
    done = program.having(AGENTCOP_ENABLED="").run("wrapping.py")
    assert done.returncode == 1
    assert "PolicyBlocked: wipe: blocked by gate.block[0]" in done.stderr
    assert "ExceptionGroup" not in done.stderr
    assert (done.stdout, served.ran) == ("found x\n", ["lookup x"])


def test_a_program_that_is_not_armed_is_not_touched(tmp_path: Path, receiver: HttpReceiver) -> None:
    program, served = armed(tmp_path, receiver)
    done = program.having(AGENTCOP_ENABLED="").run("agent.py")
    assert (done.returncode, done.stdout) == (0, "found x\nwiped y\n")
    assert "agentcop" not in done.stderr
    assert not (tmp_path / "state").exists()
    assert served.ran == ["lookup x", "wipe y"]


BROKEN = {
    "no call_tool": "del module.ClientSession.call_tool",
    "call_tool is no coroutine": "module.ClientSession.call_tool = lambda self, name, arguments=None: None",
    "call_tool takes something else": (
        "async def call_tool(self, tool): ...\nmodule.ClientSession.call_tool = call_tool"
    ),
    "no session": "del module.ClientSession",
    "requests go elsewhere": "module.ClientSession.send_request = None",
    "no result": "import types\nmodule.types = types.ModuleType('types')",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_library_whose_seam_has_moved_ends_an_armed_program(
    tmp_path: Path, receiver: HttpReceiver, broken: str
) -> None:
    program, served = armed(tmp_path, receiver)
    # The library's own file, changed at its end as another version might be.
    changed = (
        "import sys\n"
        "from importlib.machinery import SourceFileLoader as Loader\n"
        f"change = {'import sys' + chr(10) + 'module = sys.modules[__name__]' + chr(10) + BROKEN[broken]!r}\n"
        "given = Loader.get_data\n"
        "def get_data(self, path):\n"
        "    data = given(self, path)\n"
        "    mine = path.endswith('mcp/client/session.py')\n"
        "    return data + b'\\n' + change.encode() if mine else data\n"
        "Loader.get_data = get_data\n"
        "Loader.path_stats = lambda self, path: (_ for _ in ()).throw(OSError())\n"
    )
    program.file("start.py", changed + "import runpy\nrunpy.run_path('agent.py', run_name='__main__')\n")
    done = program.run("start.py")
    assert done.returncode == 78, done.stderr
    assert "cannot be governed" in done.stderr
    assert served.ran == []


def test_the_adapter_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = installable("mcp.client.session")
    assert adapter is not None
    adapter.selftest()
    monkeypatch.delattr(client_session, "ClientSession")
    with pytest.raises(NotArmed, match=r"there is no mcp\.client\.session\.ClientSession"):
        adapter.selftest()
