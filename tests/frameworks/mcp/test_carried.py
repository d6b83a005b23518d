"""A call that a tool above was judged for goes over to its server unjudged; anything that differs is judged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from mcp_servers import Served, is_error, text_of
from telemetry import application_provider

if TYPE_CHECKING:
    from pathlib import Path

    from mcp import ClientSession
    from opentelemetry.sdk.trace import ReadableSpan

pytestmark = pytest.mark.frameworks


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def allowing(*names: str, on_block: Any = "raise") -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(allow=list(names), on_block=on_block))


def gate_spans(spans: tuple[ReadableSpan, ...]) -> list[str]:
    return [span.name for span in spans if span.name.startswith("execute_tool")]


@pytest.mark.parametrize("kind", ["memory", "stdio"])
def test_the_same_call_is_judged_once_and_has_one_span_and_one_line(
    served: Served, kind: str, agentcop_home: Path
) -> None:
    cop = allowing("lookup")

    async def talk(session: ClientSession) -> str:
        async def lookup(query: str) -> str:
            return text_of(await session.call_tool("lookup", {"query": query}))

        return await cop.tool(lookup)("x")

    async def main() -> str:
        async with served.session(kind) as session:
            return await talk(cop.wrap(session))

    with application_provider() as exporter:
        assert asyncio.run(main()) == "found x"
        spans = exporter.get_finished_spans()
    assert served.ran == ["lookup x"]
    assert cop.counts() == {"allowed": 1}
    assert len(gatefile.lines(agentcop_home, "decision")) == 1
    assert len(gatefile.lines(agentcop_home, "outcome")) == 1
    assert gate_spans(spans) == ["execute_tool lookup"]


DIFFERENT = {
    "other arguments": ("lookup", {"query": "y"}),
    "one argument more": ("lookup", {"query": "x", "path": "/"}),
    "another tool": ("wipe", {"query": "x"}),
    "the end of the name alone": ("up", {"query": "x"}),
    "the beginning of the name alone": ("look", {"query": "x"}),
}


@pytest.mark.parametrize("different", DIFFERENT)
def test_a_call_that_differs_is_judged_anew(served: Served, different: str, agentcop_home: Path) -> None:
    name, arguments = DIFFERENT[different]
    cop = allowing("lookup", on_block="return_message")

    async def main() -> Any:
        async with served.session("memory") as session:
            cop.wrap(session)

            async def lookup(query: str) -> Any:
                return await session.call_tool(name, arguments)

            return await cop.tool(lookup)("x")

    result = asyncio.run(main())
    lines = gatefile.lines(agentcop_home, "decision")
    assert [(line["tool"], line["args"]) for line in lines] == [("lookup", {"query": "x"}), (name, arguments)]
    assert is_error(result) == (name != "lookup")
    assert [effect for effect in served.ran if not effect.startswith("lookup")] == []


@pytest.mark.parametrize("name", ["tools_wipe", "my_wipe", "tools:wipe", "wipe_wipe"])
def test_a_tool_whose_name_only_ends_like_the_servers_does_not_carry_its_call(served: Served, name: str) -> None:
    cop = allowing(name)

    async def main() -> None:
        async with served.session("memory") as session:
            cop.wrap(session)

            async def passing(path: str) -> Any:
                return await session.call_tool("wipe", {"path": path})

            await cop.tool(passing, name=name)("y")

    with pytest.raises(PolicyBlocked):
        asyncio.run(main())
    assert served.ran == []


def test_a_call_goes_over_once_and_a_second_time_is_a_call_of_its_own(served: Served) -> None:
    cop = allowing("lookup")

    async def main() -> None:
        async with served.session("memory") as session:
            cop.wrap(session)

            async def lookup(query: str) -> None:
                for _ in range(3):
                    await session.call_tool("lookup", {"query": query})

            await cop.tool(lookup)("x")

    asyncio.run(main())
    assert served.ran == ["lookup x"] * 3
    assert cop.counts() == {"allowed": 3}


def test_two_that_go_over_at_once_are_a_carried_one_and_one_of_its_own(served: Served) -> None:
    cop = allowing("lookup")

    async def main() -> None:
        async with served.session("memory") as session:
            cop.wrap(session)

            async def lookup(query: str) -> None:
                await asyncio.gather(*(session.call_tool("lookup", {"query": query}) for _ in range(2)))

            await cop.tool(lookup)("x")

    asyncio.run(main())
    assert cop.counts() == {"allowed": 2}


def test_one_that_failed_on_the_way_may_be_tried_again(served: Served) -> None:
    cop = allowing("lookup")

    async def main() -> str:
        async with served.session("memory") as closed:
            pass
        async with served.session("memory") as session:
            cop.wrap(session)
            cop.wrap(closed)

            async def lookup(query: str) -> str:
                with pytest.raises(Exception, match=r"[Cc]losed|^$"):
                    await closed.call_tool("lookup", {"query": query})
                return text_of(await session.call_tool("lookup", {"query": query}))

            return await cop.tool(lookup)("x")

    assert asyncio.run(main()) == "found x"
    assert cop.counts() == {"allowed": 1}


def test_a_cop_that_did_not_judge_the_tool_judges_what_its_session_is_asked(served: Served) -> None:
    above, below = allowing("lookup"), allowing("other")

    async def main() -> None:
        async with served.session("memory") as session:
            below.wrap(session)

            async def lookup(query: str) -> Any:
                return await session.call_tool("lookup", {"query": query})

            await above.tool(lookup)("x")

    with pytest.raises(PolicyBlocked):
        asyncio.run(main())
    assert served.ran == []
    assert (above.counts(), below.counts()) == ({"allowed": 1}, {"blocked": 1})


def test_what_a_tool_left_running_makes_calls_of_its_own(served: Served) -> None:
    cop = allowing("lookup")

    async def main() -> None:
        async with served.session("memory") as session:
            cop.wrap(session)
            left: list[asyncio.Task[Any]] = []

            async def lookup(query: str) -> None:
                async def later() -> None:
                    await ended.wait()
                    await session.call_tool("lookup", {"query": query})

                left.append(asyncio.create_task(later()))

            ended = asyncio.Event()
            await cop.tool(lookup)("x")
            ended.set()
            await left[0]

    asyncio.run(main())
    assert cop.counts() == {"allowed": 2}


def test_from_a_thread_into_the_sessions_loop_the_call_is_carried_with_its_context(served: Served) -> None:
    cop = allowing("lookup")

    async def main() -> str:
        async with served.session("memory") as session:
            cop.wrap(session)
            loop = asyncio.get_running_loop()

            def lookup(query: str) -> str:
                asked = asyncio.run_coroutine_threadsafe(session.call_tool("lookup", {"query": query}), loop)
                return text_of(asked.result(60))

            return await asyncio.to_thread(cop.tool(lookup), "x")

    assert asyncio.run(main()) == "found x"
    assert cop.counts() == {"allowed": 1}
