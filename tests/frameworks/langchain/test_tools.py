"""One LangChain tool behind the gate: what is judged is what its body receives, however it is called."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig  # noqa: TC002 -- LangChain reads the annotation
from langchain_core.tools import (
    BaseTool,
    InjectedToolArg,
    InjectedToolCallId,
    StructuredTool,
    Tool,
    ToolException,
    tool,
)
from pydantic import BaseModel, Field, field_validator

from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked
from agentcop._seams import patches
from agentcop.adapters.langchain import LangChainAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**(gate or {"default": "allow"})))


def lines(guard: AgentCop, kind: str) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in guard.gate_log.read_text().splitlines()]
    return [line for line in every if line["kind"] == kind]


class Amount(BaseModel):
    """A text that is parsed, and counted each time."""

    amount: float
    unit: str = "EUR"

    @field_validator("amount", mode="before")
    @classmethod
    def from_text(cls, value: Any) -> Any:
        RAN.append("validated")
        return float(str(value).removesuffix(" EUR"))


def paying(amount: float, unit: str = "EUR") -> str:
    RAN.append((amount, unit))
    return f"paid {amount} {unit}"


def pay(**options: Any) -> StructuredTool:
    return StructuredTool.from_function(paying, name="pay", description="Pay.", args_schema=Amount, **options)


def test_parsed_values_are_judged_and_run_and_the_validators_run_once() -> None:
    guard = cop(allow=[{"tool": "pay", "when": "args.amount <= 100.0"}])
    made = guard.wrap(pay())
    assert made.invoke({"amount": "40 EUR"}) == "paid 40.0 EUR"
    assert RAN == ["validated", (40.0, "EUR")]
    with pytest.raises(PolicyBlocked):
        made.invoke({"amount": "400 EUR"})
    assert [line["args"]["amount"] for line in lines(guard, "decision")] == [40.0, 400.0]


def test_async_calls_are_judged_alike() -> None:
    guard = cop(allow=[{"tool": "pay", "when": "args.amount <= 100.0"}])
    made = guard.wrap(pay())

    async def both() -> str:
        with pytest.raises(PolicyBlocked):
            await made.ainvoke({"amount": "400 EUR"})
        return str(await made.ainvoke({"amount": "40 EUR"}))

    assert asyncio.run(both()) == "paid 40.0 EUR"
    assert RAN == ["validated", "validated", (40.0, "EUR")]


def test_a_callback_that_rewrites_nested_arguments_after_the_verdict_changes_nothing() -> None:
    def read(files: list[str]) -> str:
        """Read."""
        RAN.extend(files)
        return "read"

    class Rewrite(BaseCallbackHandler):
        def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
            kwargs["inputs"]["files"][0] = "/etc/shadow"
            given["files"][0] = "/etc/shadow"

    given = {"files": ["/tmp/ok"]}
    made = cop().wrap(StructuredTool.from_function(read))
    made.invoke(given, {"callbacks": [Rewrite()]})
    assert RAN == ["/tmp/ok"]


@pytest.mark.parametrize("inner", ["same", "invalid", "fails early", "another"])
def test_a_callback_that_calls_tools_itself_changes_nothing_of_what_was_judged(inner: str) -> None:
    class Early(BaseCallbackHandler):
        raise_error = True

        def on_tool_start(self, *_: Any, **kwargs: Any) -> None:
            raise RuntimeError

    class Calls(BaseCallbackHandler):
        busy = False

        def on_tool_start(self, *_: Any, **kwargs: Any) -> None:
            if self.busy:
                return
            self.busy = True
            with contextlib.suppress(RuntimeError, ValueError):
                called = other if inner == "another" else made
                early = {"callbacks": [Early()]} if inner == "fails early" else {}
                called.run({} if inner == "invalid" else {"path": "inner"}, **early)
            given["path"] = "/etc/shadow"

    def read(path: str) -> None:
        """Read."""
        RAN.append(path)

    def other_read(path: str) -> None:
        """Read."""

    given = {"path": "ok"}
    guard = cop(allow=[{"tool": "read", "when": 'args.path in ["ok", "inner"]'}, "other_read"])
    made = guard.wrap(StructuredTool.from_function(read))
    other = guard.wrap(StructuredTool.from_function(other_read))
    made.run(given, callbacks=[Calls()])
    assert RAN[-1] == "ok"
    assert "/etc/shadow" not in RAN


def test_arguments_that_do_not_fit_are_no_verdict_and_raise_as_without_us() -> None:
    guard = cop()
    with pytest.raises(Exception, match="validation error") as without:
        pay().invoke({"amount": "much"})
    with pytest.raises(type(without.value)):
        guard.wrap(pay()).invoke({"amount": "much"})
    assert guard.counts() == {"invalid": 1}
    assert [line["tool"] for line in lines(guard, "invalid")] == ["pay"]


def test_a_tools_own_handling_of_arguments_that_do_not_fit_still_works() -> None:
    seen: list[str] = []

    class Errors(BaseCallbackHandler):
        def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
            seen.append(type(error).__name__)

    handled = cop().wrap(pay(handle_validation_error="say it in numbers"))
    assert handled.invoke({"amount": "much"}, {"callbacks": [Errors()]}) == "say it in numbers"
    with pytest.raises(Exception, match="validation error"):
        cop().wrap(pay()).invoke({"amount": "much"}, {"callbacks": [Errors()]})
    assert seen == ["ValidationError"]


def test_a_tools_own_handling_of_its_errors_still_works() -> None:
    def fail() -> str:
        """Fail."""
        raise ToolException("no luck")

    made = cop().wrap(StructuredTool.from_function(fail, handle_tool_error=True))
    message = made.invoke({"name": "fail", "args": {}, "id": "1", "type": "tool_call"})
    assert (message.content, message.status, message.tool_call_id) == ("no luck", "error", "1")


def test_a_quiet_refusal_is_a_message_under_the_calls_id_and_else_its_text() -> None:
    made = cop(allow=["other"], on_block="return_message").wrap(pay())
    message = made.invoke({"name": "pay", "args": {"amount": "1"}, "id": "7", "type": "tool_call"})
    assert (message.content, message.status, message.tool_call_id, message.name) == (
        "Blocked by policy (gate.default). Do not retry; tell the user.",
        "error",
        "7",
        "pay",
    )
    assert made.invoke({"amount": "1"}) == message.content
    assert (1.0, "EUR") not in RAN


def remove(path: str, mode: str = "everything") -> str:
    """Remove."""
    RAN.append((path, mode))
    return "removed"


async def remove_later(path: str, mode: str = "everything") -> str:
    return remove(path, mode)


class Removes(BaseTool):
    """The same as a class without a schema."""

    name: str = "remove"
    description: str = "Remove."

    def _run(self, path: str, mode: str = "everything", run_manager: Any = None) -> str:
        return remove(path, mode)


@pytest.mark.parametrize(
    "make",
    [
        lambda: StructuredTool.from_function(remove),
        lambda: StructuredTool.from_function(remove, remove_later),
        lambda: StructuredTool.from_function(coroutine=remove_later, name="remove", description="Remove."),
        Removes,
    ],
    ids=["a function", "two", "a coroutine", "a class"],
)
def test_a_default_that_the_body_would_fill_in_is_judged(make: Callable[[], Any]) -> None:
    everything = {"tool": "remove", "when": 'has(args.mode) && args.mode == "everything"'}
    made = cop(default="allow", allow=[], block=[everything]).wrap(make())
    with pytest.raises(PolicyBlocked):
        asyncio.run(made.ainvoke({"path": "x"}))
    assert asyncio.run(made.ainvoke({"path": "x", "mode": "one"})) == "removed"
    assert RAN == [("x", "one")]


class State(BaseModel):
    """What an application keeps for its tools."""

    seen: list[str] = Field(default_factory=list)


class WithInjected(BaseModel):
    """One argument of the model's, two of the application's."""

    query: str
    state: Annotated[State, InjectedToolArg]
    call: Annotated[str, InjectedToolCallId]


def test_injected_arguments_reach_the_body_alive_and_are_not_judged() -> None:
    def search(query: str, state: State, call: str, config: RunnableConfig) -> str:
        """Search."""
        state.seen.append(query)
        return f"{call} {config['tags']}"

    guard = cop(allow=[{"tool": "search", "when": 'args == {"query": "x"}'}])
    made = guard.wrap(StructuredTool.from_function(search, args_schema=WithInjected))
    state = State()
    call = {"name": "search", "args": {"query": "x", "state": state}, "id": "9", "type": "tool_call"}
    assert made.invoke(call, {"tags": ["t"]}).content == "9 ['t']"
    assert state.seen == ["x"]


def test_an_argument_is_judged_even_if_it_is_called_like_langchains_own() -> None:
    schema = {"title": "send", "type": "object", "properties": {"callbacks": {"type": "string"}}}
    made = StructuredTool(name="send", description="Send.", args_schema=schema, func=lambda **given: RAN.append(given))
    guard = cop(allow=[{"tool": "send", "when": 'args.callbacks == "https://ours.test"'}])
    with pytest.raises(PolicyBlocked):
        guard.wrap(made).invoke({"callbacks": "https://theirs.test"})
    assert RAN == []


@pytest.mark.parametrize("given", ["x", {"__arg1": "x"}])
def test_a_single_text_input_has_a_name_in_policies(given: Any) -> None:
    single = Tool(name="search", description="Search.", func=lambda text: f"found {text}")
    guard = cop(allow=[{"tool": "search", "when": 'args.tool_input == "x"'}])
    assert guard.wrap(single).run(given) == "found x"


class Own(BaseTool):
    """A tool that is written as a class, without a schema of its own."""

    name: str = "own"
    description: str = "Own."

    def _run(self, query: str, run_manager: Any = None) -> str:
        RAN.append((query, run_manager is not None))
        return f"own {query}"


def test_a_text_for_a_tool_without_a_schema_is_judged_under_its_parameters_name() -> None:
    guard = cop(allow=[{"tool": "own", "when": 'args.query == "x"'}])
    assert guard.wrap(Own()).run("x") == "own x"
    assert RAN == [("x", True)]


class Overrides(Own):
    """A tool whose own `run` changes what it was asked for."""

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return super().run({"query": f"{tool_input['query']}!"}, *args, **kwargs)


def test_a_subclass_that_changes_the_arguments_in_its_own_run_is_judged_again() -> None:
    guard = cop(allow=[{"tool": "own", "when": 'args.query == "x"'}])
    with pytest.raises(PolicyBlocked):
        guard.wrap(Overrides()).invoke({"query": "x"})
    assert RAN == []


class RunsAlone(Own):
    """A tool whose own `run` asks nobody."""

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return self._run(**tool_input)


def test_a_subclass_whose_own_run_asks_nobody_is_judged_even_if_it_was_defined_late() -> None:
    cop().wrap(Own())

    class Late(RunsAlone):
        def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
            return self._run(**tool_input)

    for made in (RunsAlone(), Late()):
        with pytest.raises(PolicyBlocked):
            cop(allow=["other"]).wrap(made).invoke({"query": "x"})
    assert RAN == []


class InvokesAlone(Own):
    """A tool whose own `invoke` asks nobody."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002 -- LangChain's name
        return self._run(**input.get("args", input))

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002 -- as above
        return self.invoke(input, config)


CALL = {"name": "own", "args": {"query": "x"}, "id": "5", "type": "tool_call"}


@pytest.mark.parametrize("given", [{"query": "x"}, CALL])
def test_a_subclass_whose_own_invoke_asks_nobody_is_judged_once(given: Any) -> None:
    guard = cop(allow=[{"tool": "own", "when": 'args.query == "x"'}])
    made = guard.wrap(InvokesAlone())
    assert made.invoke(given) == "own x"
    assert asyncio.run(made.ainvoke(given)) == "own x"
    assert guard.counts() == {"allowed": 2}
    with pytest.raises(PolicyBlocked):
        made.invoke({**CALL, "args": {"query": "y"}})


class Query(BaseModel):
    """A schema of one field."""

    query: str


class TakesAnything(BaseTool):
    """A tool whose own `run` and `invoke` read more than its schema names."""

    name: str = "own"
    description: str = "own"
    args_schema: Any = Query

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        RAN.append(tool_input)

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002 -- LangChain's name
        RAN.append(input)

    def _run(self, query: str) -> str:
        return query


@pytest.mark.parametrize("way", ["run", "invoke"])
def test_what_a_schema_drops_is_judged_where_a_class_of_its_own_is_handed_it(way: str) -> None:
    guard = cop(allow=["own"], block=[{"tool": "own", "when": 'has(args.path) && args.path != "ok"'}])
    made = guard.wrap(TakesAnything())
    with pytest.raises(PolicyBlocked):
        getattr(made, way)({"query": "x", "path": "/etc/passwd"})
    getattr(made, way)({"query": "x", "path": "ok"})
    assert RAN == [{"query": "x", "path": "ok"}]


class InvokesLoudly(Own):
    """A tool whose own `invoke` does what LangChain's does."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002 -- as above
        RAN.append("loudly")
        return super().invoke(input, config, **kwargs)


def test_a_subclass_whose_own_invoke_goes_on_to_langchains_is_one_call() -> None:
    guard = cop(allow=["own"])
    message = guard.wrap(InvokesLoudly()).invoke(CALL)
    assert (message.content, message.tool_call_id) == ("own x", "5")
    assert (RAN, guard.counts()) == (["loudly", ("x", True)], {"allowed": 1})


def test_a_subclass_with_its_own_run_still_handles_arguments_that_do_not_fit() -> None:
    class Handled(Own):
        args_schema: Any = Amount
        handle_validation_error: Any = "say it in numbers"

        def run(self, *args: Any, **kwargs: Any) -> Any:
            return super().run(*args, **kwargs)

    assert cop().wrap(Handled()).invoke({"amount": "much"}) == "say it in numbers"


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda made: made.model_copy(update={"description": "d"})])
def test_a_copy_is_governed_like_its_original(how: Any) -> None:
    made = cop(allow=["other"]).wrap(Own())
    with pytest.raises(PolicyBlocked):
        how(made).invoke({"query": "x"})
    assert RAN == []


def test_a_tool_that_nobody_governs_runs_as_it_always_did() -> None:
    cop().wrap(Own())
    marker = object()

    def keep(thing: Any) -> Any:
        """Keep."""
        return thing

    assert StructuredTool.from_function(keep).invoke({"thing": marker}) is marker


def test_a_body_on_a_raw_thread_is_governed_by_the_run_in_flight() -> None:
    from concurrent.futures import ThreadPoolExecutor

    other = Own()

    def spawn() -> str:
        """Ask another tool on a thread that knows nothing of this run."""
        with ThreadPoolExecutor(1) as pool:
            return str(pool.submit(other.run, "x").result())

    class Agent:
        def __init__(self) -> None:
            self.tools = [StructuredTool.from_function(spawn)]

        def run(self) -> str:
            return str(self.tools[0].invoke({}))

    with pytest.raises(PolicyBlocked) as refused:
        cop(allow=["spawn"]).wrap(Agent()).run()
    assert (refused.value.tool, RAN) == ("own", [])


def test_the_decorator_and_a_name_of_ones_own() -> None:
    @tool
    def search(query: str) -> str:
        """Search."""
        return f"found {query}"

    guard = cop(allow=["web_search"])
    assert guard.tool(search, name="web_search") is search
    assert search.invoke({"query": "x"}) == "found x"
    assert [line["tool"] for line in lines(guard, "decision")] == ["web_search"]


@pytest.fixture
def _unpatched() -> Iterator[None]:
    patches.remove_all()
    yield
    patches.remove_all()


@pytest.mark.usefixtures("_unpatched")
@pytest.mark.parametrize("missing", ["run", "arun", "_to_args_and_kwargs"])
def test_without_its_seam_nothing_is_armed(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(BaseTool, missing)
    with pytest.raises(NotArmed, match=missing):
        cop().wrap(Own())


@pytest.mark.usefixtures("_unpatched")
def test_a_seam_that_no_longer_parses_by_the_tools_own_method_is_not_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Any, tool_input: Any, *, tool_call_id: str | None = None) -> Any:
        return self._run(tool_input)

    monkeypatch.setattr(BaseTool, "run", run)
    with pytest.raises(NotArmed, match="does not parse"):
        LangChainAdapter().selftest()


@pytest.mark.usefixtures("_unpatched")
def test_removing_leaves_the_classes_as_they_were() -> None:
    before = {key: value for key, value in vars(BaseTool).items() if key != "__abstractmethods__"}
    cop().wrap(Own())
    assert vars(BaseTool)["run"] is not before["run"]
    patches.remove_all()
    assert {key: value for key, value in vars(BaseTool).items() if key != "__abstractmethods__"} == before
