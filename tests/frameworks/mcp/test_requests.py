"""What is judged is what the server gets: arguments, metadata, names; and what is no argument passes as it is."""

from __future__ import annotations

import asyncio
import decimal
import inspect
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from pydantic import BaseModel, ConfigDict, Field, model_serializer

import gatefile
from agentcop import AgentCop, GatePolicy
from mcp_servers import Served, is_error, text_of

pytestmark = pytest.mark.frameworks


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def cop_of(*allow: Any, **options: Any) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(allow=list(allow), on_block="return_message", **options))


def called(served: Served, cop: AgentCop, *args: Any, **kwargs: Any) -> Any:
    async def main() -> Any:
        async with served.session("memory") as session:
            return await cop.wrap(session).call_tool(*args, **kwargs)

    return asyncio.run(main())


def raised(served: Served, cop: AgentCop, *args: Any, **kwargs: Any) -> Exception:
    """What the call itself raised, before any task group."""

    async def main() -> Exception:
        async with served.session("memory") as session:
            with pytest.raises(Exception) as error:  # noqa: PT011 -- the caller looks at it
                await cop.wrap(session).call_tool(*args, **kwargs)
            return error.value

    return asyncio.run(main())


class Renamed(BaseModel):
    """Says `query` in Python and `path` to the server."""

    model_config = ConfigDict(populate_by_name=True)
    query: str = Field(serialization_alias="path")


class Other(BaseModel):
    """Says one thing when it is read and another when it is sent."""

    query: str

    @model_serializer
    def sent(self) -> dict[str, str]:
        return {"query": "sent"}


@pytest.mark.parametrize(
    ("given", "judged"),
    [
        ({"query": "x"}, {"query": "x"}),
        ({"query": Path("/tmp/x")}, {"query": "/tmp/x"}),
        ({"query": decimal.Decimal("1.50")}, {"query": "1.50"}),
        ({"query": Renamed(query="x")}, {"query": {"path": "x"}}),
        ({"query": [Other(query="read")]}, {"query": [{"query": "sent"}]}),
        ({"query": (1, 2)}, {"query": [1, 2]}),
        (None, {}),
        ({}, {}),
    ],
)
def test_arguments_are_judged_as_they_are_written_on_the_wire(
    served: Served, given: Any, judged: Any, agentcop_home: Path
) -> None:
    called(served, cop_of("other"), "lookup", given)
    (line,) = gatefile.lines(agentcop_home, "decision")
    assert line["args"] == judged


def test_what_a_server_gets_is_what_was_judged_whatever_happens_to_the_original(served: Served) -> None:
    given = {"query": "x"}

    class Changing(dict[str, Any]):
        """Another argument at the second reading."""

        def items(self) -> Any:
            given["query"] = "changed"
            return super().items()

    assert (
        text_of(called(served, cop_of({"tool": "lookup", "when": 'args.query == "x"'}), "lookup", given)) == "found x"
    )
    called(served, cop_of({"tool": "lookup", "when": 'args.query == "x"'}), "lookup", Changing(given))
    assert set(served.ran) <= {"lookup x"}


def test_arguments_that_the_library_cannot_send_are_its_own_error_and_are_on_record(
    served: Served, agentcop_home: Path
) -> None:
    assert "serialize" in str(raised(served, cop_of("lookup"), "lookup", {"query": object()}))
    assert "valid string" in str(raised(served, cop_of("lookup"), 7, {"query": "x"}))
    assert isinstance(raised(served, cop_of("lookup")), TypeError)
    assert isinstance(raised(served, cop_of("lookup"), "lookup", {"query": "x"}, arguments={}), TypeError)
    assert served.ran == []
    assert [line["tool"] for line in gatefile.lines(agentcop_home, "invalid")] == [
        "lookup",
        "ClientSession",
        "ClientSession",
        "ClientSession",
    ]


def test_an_object_that_fails_at_its_first_reading_is_not_read_again(served: Served) -> None:
    readings: list[int] = []

    class Once(BaseModel):
        query: str = "secret"

        @model_serializer
        def sent(self) -> str:
            readings.append(1)
            if len(readings) == 1:
                raise ValueError("not now")
            return "secret"

    cop = cop_of({"tool": "lookup", "when": 'args.query == "x"'})
    assert "not now" in str(raised(served, cop, "lookup", {"query": Once()}))
    assert served.ran == []


def _takes_meta() -> bool:
    return "meta" in inspect.signature(ClientSession.call_tool).parameters


def test_metadata_is_judged_beside_the_arguments_and_sent_with_its_trace(served: Served, agentcop_home: Path) -> None:
    if not _takes_meta():
        assert isinstance(raised(served, cop_of("told"), "told", {}, meta={"user": "u"}), TypeError)
        return
    when = {"tool": "told", "when": 'args._meta.user == "u"'}
    result = called(served, cop_of(when), "told", {"query": "x"}, meta={"user": "u", "traceparent": "t"})
    assert not is_error(result)
    called(served, cop_of(when), "told", {"query": "x"}, meta={"user": "mallory"})
    (effect,) = served.ran
    assert "'user': 'u'" in effect
    assert "traceparent" in effect
    shown = [line["args"] for line in gatefile.lines(agentcop_home, "decision")]
    assert shown == [{"query": "x", "_meta": {"user": "u"}}, {"query": "x", "_meta": {"user": "mallory"}}]


def test_an_argument_that_is_called_like_the_metadata_is_refused_beside_it(served: Served) -> None:
    if _takes_meta():
        result = called(served, cop_of("told"), "told", {"_meta": {"user": "u"}}, meta={"user": "mallory"})
        assert text_of(result).startswith("Blocked by policy (gate.arguments)")
    result = called(served, cop_of("lookup"), "lookup", {"query": "x", "_meta": {"user": "u"}})
    assert text_of(result) == "found x"


def test_progress_is_reported_to_the_callers_own_callback(served: Served) -> None:
    seen: list[float] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        seen.append(done)

    result = called(served, cop_of("slow"), "slow", {"query": "x"}, progress_callback=progress)
    assert (text_of(result), seen) == ("done", [1.0])


@pytest.mark.parametrize(
    "name",
    [
        "look\u200bup",
        "lookup\u0000",
        " lookup",
        "lookup\n",
        "\uff4cookup",
        "lookup\ufe0f",
        "look\u202eup",
        "l" * 300,
        "",
    ],
)
def test_a_name_that_is_not_what_it_looks_like_reaches_no_server(served: Served, name: str) -> None:
    result = called(served, AgentCop(agent_id="a", policy=GatePolicy(default="allow", on_block="alert")), name, {})
    assert text_of(result) == "Blocked by policy (gate.arguments). Do not retry; tell the user."
    assert is_error(result)


def test_a_name_of_a_class_that_compares_as_it_likes_is_taken_for_its_letters(served: Served) -> None:
    class Agreeing(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

        def __hash__(self) -> int:
            return hash("lookup")

    assert text_of(called(served, cop_of("lookup"), Agreeing("look\u200bup"), {"query": "x"})).endswith(
        "tell the user."
    )
    assert text_of(called(served, cop_of("lookup"), Agreeing("wipe"), {"path": "y"})).endswith("tell the user.")
    assert served.ran == []


@pytest.mark.parametrize("name", ["l\u043e\u043ekup", "LOOKUP", "lookup.", "look-up"])
def test_a_name_that_is_another_falls_to_the_default(served: Served, name: str) -> None:
    result = called(served, cop_of("lookup"), name, {})
    assert text_of(result) == "Blocked by policy (gate.default). Do not retry; tell the user."


def test_too_large_arguments_are_refused_before_they_are_copied(served: Served) -> None:
    result = called(served, cop_of("lookup"), "lookup", {"query": "x" * (2 << 20)})
    assert text_of(result).startswith("Blocked by policy (gate.arguments)")
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    result = called(served, cop_of("lookup"), "lookup", {"query": deep})
    assert text_of(result).startswith("Blocked by policy (gate.arguments)")
    assert served.ran == []
