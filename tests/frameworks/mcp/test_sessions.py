"""Calls of a wrapped session are judged before anything reaches the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked, ToolBlocked
from agentcop.testing import Shape, Tools, check_adapter
from mcp_servers import KINDS, Served, is_error, text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from mcp import ClientSession

pytestmark = pytest.mark.frameworks

REFUSED = "Blocked by policy (gate.block[0]). Do not retry; tell the user."


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def quiet() -> AgentCop:
    policy = GatePolicy(allow=["lookup"], block=["wipe"], on_block="return_message")
    return AgentCop(agent_id="a", policy=policy)


def loud() -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(allow=["lookup"], block=["wipe"], on_block="raise"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_allowed_call_runs_and_a_blocked_one_is_answered_with_an_error_result(
    served: Served, kind: str, agentcop_home: Path
) -> None:
    async def talk() -> tuple[Any, Any]:
        async with served.session(kind) as session:
            assert quiet().wrap(session) is session
            return await session.call_tool("lookup", {"query": "x"}), await session.call_tool("wipe", {"path": "y"})

    found, refused = asyncio.run(talk())
    assert served.ran == ["lookup x"]
    assert (text_of(found), is_error(found)) == ("found x", False)
    assert (text_of(refused), is_error(refused)) == (REFUSED, True)
    assert type(refused) is type(found)
    decisions = gatefile.lines(agentcop_home, "decision")
    assert [(line["tool"], line["verdict"], line["args"]) for line in decisions] == [
        ("lookup", "allow", {"query": "x"}),
        ("wipe", "block", {"path": "y"}),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_loud_refusal_is_raised_where_the_tool_is_called_and_the_session_goes_on(served: Served, kind: str) -> None:
    async def talk() -> str:
        async with served.session(kind) as session:
            loud().wrap(session)
            with pytest.raises(PolicyBlocked) as refused:
                await session.call_tool("wipe", {"path": "y"})
            assert refused.value.rule == "gate.block[0]"
            return text_of(await session.call_tool("lookup", {"query": "x"}))

    assert asyncio.run(talk()) == "found x"
    assert served.ran == ["lookup x"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_loud_refusal_that_nobody_catches_leaves_all_task_groups_as_itself(served: Served, kind: str) -> None:
    cop = loud()

    async def talk() -> None:
        async with served.session(kind) as session:
            await cop.wrap(session).call_tool("wipe", {"path": "y"})

    with pytest.raises(PolicyBlocked) as refused:
        asyncio.run(talk())
    assert refused.value.rule == "gate.block[0]"
    assert served.ran == []


def test_a_group_with_another_error_in_it_stays_a_group(served: Served) -> None:
    async def talk() -> None:
        async with served.session("memory") as session:
            loud().wrap(session)

            async def fail() -> None:
                try:
                    await anyio.sleep_forever()
                finally:
                    raise ValueError("mine")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fail)
                await anyio.lowlevel.checkpoint()
                await session.call_tool("wipe", {"path": "y"})

    with pytest.raises(ExceptionGroup) as together:
        asyncio.run(talk())
    assert together.value.subgroup(ValueError) is not None
    assert together.value.subgroup(PolicyBlocked) is not None


def test_a_program_that_expects_groups_catches_a_refusal_all_the_same(served: Served) -> None:
    caught: list[BaseException] = []

    async def talk() -> None:
        async with served.session("memory") as session:
            loud().wrap(session)
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(session.call_tool, "wipe", {"path": "y"})
            except* ToolBlocked as refused:
                caught.append(refused)

    asyncio.run(talk())
    assert len(caught) == 1


def test_of_calls_in_one_task_group_the_allowed_run_and_the_blocked_are_answered(served: Served) -> None:
    async def talk() -> dict[str, str]:
        answers: dict[str, str] = {}

        async def call(session: ClientSession, name: str, key: str) -> None:
            answers[name] = text_of(await session.call_tool(name, {key: "z"}))

        async with served.session("memory") as session:
            quiet().wrap(session)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, session, "wipe", "path")
                tasks.start_soon(call, session, "lookup", "query")
        return answers

    assert asyncio.run(talk()) == {"wipe": REFUSED, "lookup": "found z"}
    assert served.ran == ["lookup z"]


def test_a_tool_that_the_server_lists_and_no_policy_names_is_blocked(served: Served) -> None:
    async def talk() -> Any:
        async with served.session("memory") as session:
            quiet().wrap(session)
            return await session.call_tool("told", {})

    assert text_of(asyncio.run(talk())) == "Blocked by policy (gate.default). Do not retry; tell the user."
    assert served.ran == []


def test_a_session_that_nobody_governs_is_left_alone_and_its_calls_are_counted(served: Served) -> None:
    cop = quiet()

    async def talk() -> str:
        async with served.session("memory") as wrapped, served.session("memory") as other:
            cop.wrap(wrapped)
            return text_of(await other.call_tool("wipe", {"path": "y"}))

    assert asyncio.run(talk()) == "wiped y"
    assert served.ran == ["wipe y"]
    assert cop.counts() == {"ungoverned": 1}


def test_a_request_that_calls_a_tool_past_call_tool_is_judged(served: Served) -> None:
    from mcp.client import session as module

    types: Any = module.types

    async def talk() -> Any:
        async with served.session("memory") as session:
            cop = loud()
            cop.wrap(session)

            def asked(name: str, **arguments: str) -> Any:
                request = types.CallToolRequest(
                    method="tools/call", params=types.CallToolRequestParams(name=name, arguments=arguments)
                )
                return request if not hasattr(types.ClientRequest, "model_fields") else types.ClientRequest(request)

            with pytest.raises(PolicyBlocked):
                await session.send_request(asked("wipe", path="y"), types.CallToolResult)
            found = await session.send_request(asked("lookup", query="x"), types.CallToolResult)
            assert cop.counts() == {"allowed": 1, "blocked": 1}
            return found

    assert text_of(asyncio.run(talk())) == "found x"
    assert served.ran == ["lookup x"]


def test_the_adapter_conforms(tmp_path: Path) -> None:
    def over(kind: str, calls: Callable[[ClientSession, Served], Awaitable[list[str]]]) -> Callable[..., object]:
        def exercise(tools: Tools, wrap: Callable[[Any], Any]) -> object:
            served = Served(tmp_path)

            async def talk() -> list[str]:
                async with served.session(kind) as session:
                    return await calls(wrap(session), served)

            try:
                return asyncio.run(talk())
            finally:
                tools.ran.extend(served.ran)
                served.effects.unlink(missing_ok=True)

        return exercise

    async def in_turn(session: ClientSession, served: Served) -> list[str]:
        results = [await session.call_tool("lookup", {"query": "x"}), await session.call_tool("wipe", {"path": "y"})]
        return [text_of(result) for result in results]

    async def together(session: ClientSession, served: Served) -> list[str]:
        calls = [session.call_tool("lookup", {"query": "x"}), session.call_tool("wipe", {"path": "y"})]
        results: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [text_of(result) for result in results]

    exercises: dict[Shape, Any] = {
        "async": over("http", in_turn),
        "parallel": over("memory", together),
        "direct": over("stdio", in_turn),
    }
    without: dict[Shape, str] = {
        "sync": "a session is async only",
        "stream": "a result comes as a whole",
        "astream": "a result comes as a whole",
        "batch": "nobody runs an agent here: each call is one request",
        "sub_agent": "there are no agents",
    }
    check_adapter("mcp", exercises, without=without)
