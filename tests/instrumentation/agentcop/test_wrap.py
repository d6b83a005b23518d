"""What is wrapped stays the same object, and each tool that it holds is judged once a call, by its name."""

from __future__ import annotations

import functools
from typing import Any

import pydantic
import pytest

from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked, ToolBlocked
from searching import RAN, Agent, cop, search, wipe


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def test_the_same_dict_comes_back_with_its_tools_guarded() -> None:
    tools = {"search": search, "wipe": wipe}
    assert cop().wrap(tools) is tools
    assert tools["search"]("x") == "found x"
    with pytest.raises(PolicyBlocked):
        tools["wipe"]("/")
    assert RAN == ["search x"]


def test_the_key_of_a_dict_is_the_tools_name_whatever_the_function_is_called() -> None:
    tools = cop().wrap({"search": wipe, "other": search})
    tools["search"]("x")
    with pytest.raises(PolicyBlocked) as refused:
        tools["other"]("x")
    assert refused.value.tool == "other"


def test_functions_in_a_list_are_guarded_in_place_by_their_names() -> None:
    tools: list[Any] = [search, wipe, functools.partial(wipe, "/")]
    assert cop().wrap(tools) is tools
    assert tools[0](query="x") == "found x"
    for refused in (lambda: tools[1]("/"), tools[2]):
        with pytest.raises(PolicyBlocked):
            refused()
    assert RAN == ["search x"]


def test_a_registry_of_schemas_with_their_functions_is_guarded_inside() -> None:
    tools = [{"name": "search", "function": search}, {"name": "danger", "function": wipe}]
    cop().wrap(tools)
    assert tools[0]["function"]("x") == "found x"  # type: ignore[operator]  # the values of this registry differ
    with pytest.raises(PolicyBlocked) as refused:
        tools[1]["function"]("/")  # type: ignore[operator]  # as above
    assert refused.value.tool == "danger"


def test_a_function_comes_back_guarded_with_the_same_looks() -> None:
    guarded = cop().wrap(search)
    assert (guarded.__name__, guarded.__doc__, guarded.__module__) == ("search", search.__doc__, search.__module__)
    assert not hasattr(guarded, "__wrapped__")


def test_an_agents_tools_are_guarded_where_it_holds_them_and_the_agent_is_the_same_object() -> None:
    agent = Agent()
    assert cop().wrap(agent) is agent
    assert type(agent) is Agent
    assert agent.run(("search", "x")) == ["found x"]


def test_the_entry_raises_even_if_the_agent_swallowed_the_refusal() -> None:
    agent = cop().wrap(Agent())
    with pytest.raises(PolicyBlocked) as refused:
        agent.run(("wipe", "/"), ("search", "x"))
    assert refused.value.tool == "wipe"
    assert RAN == ["search x"], "a sibling of the refused call is judged as usual"


@pytest.mark.parametrize("on_block", ["return_message", "alert"])
def test_a_quiet_refusal_does_not_raise_at_the_entry(on_block: str) -> None:
    agent = cop(allow=["search"], on_block=on_block).wrap(Agent())
    assert agent.run(("wipe", "/"), ("search", "x")) == ["PolicyBlocked", "found x"]
    assert RAN == ["search x"]


def test_after_too_many_refusals_the_run_is_halted() -> None:
    agent = cop(allow=["search"], on_block="return_message", max_refusals=2).wrap(Agent())
    with pytest.raises(PolicyBlocked):
        agent.run(("wipe", "1"), ("wipe", "2"), ("search", "x"))
    assert RAN == []


def test_another_instance_of_the_class_stays_as_it_was() -> None:
    cop().wrap(Agent())
    other = Agent()
    assert other.run(("wipe", "/")) == ["gone"]


class SlottedAgent:
    __slots__ = ("__weakref__", "toolbox")

    def __init__(self) -> None:
        self.toolbox = (search, wipe)

    def __call__(self, text: str) -> list[str]:
        return [tool(text) for tool in self.toolbox]


def test_tools_in_a_tuple_in_a_slot_are_guarded() -> None:
    agent = cop().wrap(SlottedAgent())
    with pytest.raises(PolicyBlocked):
        agent("x")
    assert RAN == ["search x"]


class Methods:
    def search(self, query: str) -> str:
        return search(query)

    def wipe(self, path: str) -> str:
        return wipe(path)

    def run(self) -> list[str]:
        return [self.search("x"), self.wipe("/")]


def test_methods_named_as_tools_are_guarded_on_this_object() -> None:
    agent = cop().wrap(Methods(), tools=["search", "wipe"])
    with pytest.raises(PolicyBlocked):
        agent.run()
    assert RAN == ["search x"]
    assert Methods().run() == ["found x", "gone"]


def test_methods_decorated_in_the_class_are_judged_without_self() -> None:
    guard = cop(allow=[{"tool": "search", "when": 'args == {"query": "x"}'}])

    class Decorated:
        @guard.tool
        def search(self, query: str) -> str:
            assert isinstance(self, Decorated)
            return search(query)

    assert Decorated().search("x") == "found x"
    with pytest.raises(PolicyBlocked):
        Decorated().search("y")
    assert RAN == ["search x"]


class ToolObject:
    name = "search"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def invoke(self, query: str) -> str:
        return self.run(query)

    def run(self, query: str) -> str:
        self.seen.append(query)
        return query


def test_a_tool_object_is_judged_by_every_way_of_calling_it_once_a_call() -> None:
    guard = cop()
    tool = guard.wrap(ToolObject())
    assert tool.invoke("a") == "a"
    assert tool.run("b") == "b"
    assert guard.counts()["allowed"] == 2
    blocked = cop(allow=["other"]).wrap(ToolObject())
    for call in (blocked.invoke, blocked.run):
        with pytest.raises(PolicyBlocked):
            call("c")
    assert blocked.seen == []


class Rewriting(ToolObject):
    def invoke(self, query: str) -> str:
        return self.run(f"{query}; rm -rf /")


def test_a_method_that_hands_on_other_arguments_is_judged_again() -> None:
    tool = cop(allow=[{"tool": "search", "when": 'args.query == "a"'}]).wrap(Rewriting())
    with pytest.raises(PolicyBlocked):
        tool.invoke("a")
    assert tool.seen == []


def test_the_name_in_a_model_apis_schema_is_the_tools_name() -> None:
    entry: dict[str, Any] = {"type": "function", "function": {"name": "danger", "parameters": {}}, "call": wipe}
    cop().wrap([entry])
    with pytest.raises(PolicyBlocked) as refused:
        entry["call"]("/")
    assert refused.value.tool == "danger"


def test_tools_are_named_in_a_list_and_may_be_tool_objects() -> None:
    agent = Agent()
    agent.hidden = ToolObject()  # type: ignore[attr-defined]  # an agent that holds a tool beside its dict
    with pytest.raises(NotArmed, match="write tools=\\['hidden'\\]"):
        cop().wrap(agent, tools="hidden")
    with pytest.raises(NotArmed, match="no method or tool object 'hiden'"):
        cop().wrap(agent, tools=["hiden"])
    cop(allow=["other"]).wrap(agent, tools=["hidden"])
    with pytest.raises(PolicyBlocked) as refused:
        agent.hidden.run("x")  # type: ignore[attr-defined]  # as above
    assert refused.value.tool == "hidden"


def test_an_agent_that_belongs_to_another_cop_is_not_taken_over() -> None:
    agent = cop().wrap(Agent())
    with pytest.raises(NotArmed, match="agent"):
        AgentCop(agent_id="second", policy=GatePolicy(default="allow")).wrap(agent)


def test_wrapping_twice_judges_once() -> None:
    guard = cop()
    agent = guard.wrap(guard.wrap(Agent()))
    agent.run(("search", "x"))
    assert guard.counts()["allowed"] == 1


class Supervisor:
    def __init__(self, worker: object) -> None:
        self.tools = {"worker": worker}

    def run(self, *calls: tuple[str, str]) -> object:
        return self.tools["worker"].run(*calls)  # type: ignore[attr-defined]  # any agent


def test_a_sub_agent_is_a_tool_to_its_supervisor_and_judged_by_its_own_policy_inside() -> None:
    inner = AgentCop(agent_id="inner", policy=GatePolicy(allow=["search"]))
    outer = AgentCop(agent_id="outer", policy=GatePolicy(allow=["worker", "wipe"]))
    supervisor = outer.wrap(Supervisor(inner.wrap(Agent())))
    assert supervisor.run(("search", "x")) == ["found x"]
    with pytest.raises(ToolBlocked):
        supervisor.run(("wipe", "/"))
    assert RAN == ["search x"]
    assert (outer.counts()["allowed"], inner.counts()["allowed"]) == (2, 1)


class Store(pydantic.BaseModel):
    """State that a tool shares with its application."""

    items: list[str] = []


def put(store: Store, item: str) -> str:
    store.items.append(item)
    return item


def test_a_parameter_named_live_is_the_callers_own_object_and_no_condition_may_read_it() -> None:
    store = Store()
    guard = cop(allow=["put"], block=[{"tool": "put", "when": 'args.item == "bad"'}])
    shared = guard.tool(put, live=["store"])
    shared(store, "x")
    assert store.items == ["x"]
    with pytest.raises(PolicyBlocked):
        shared(store, "bad")
    nosy = cop(allow=[{"tool": "put", "when": "args.store.items.size() == 0"}]).tool(put, live=["store"])
    with pytest.raises(PolicyBlocked):
        nosy(Store(), "y")


def test_a_live_parameter_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(NotArmed, match="shop"):
        cop().tool(put, live=["shop"])
