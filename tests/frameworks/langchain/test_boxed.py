"""A LangChain tool whose body runs in a box: here it never does, and LangChain does all else as it always did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForToolRun
from langchain_core.runnables import RunnableConfig  # noqa: TC002 -- LangChain reads the annotation
from langchain_core.tools import BaseTool, StructuredTool, Tool, ToolException, tool
from pydantic import BaseModel, Field, PrivateAttr, SecretStr

from agentcop import AgentCop, GatePolicy, SandboxRefused
from agentcop.adapters._langchain.boxed import ship_arun, ship_run, stand_in
from agentcop_processor.sandbox.parcel import NotShippable
from parcels import Project, importable, run_parcel
from tool_boxes import boxed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []
BOXED: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
ANSWERS: list[Any] = []


def looked_up(query: str, most: int = 3) -> str:
    RAN.append(query)
    return f"{query}:{most}"


async def looked_up_later(query: str, most: int = 3) -> str:
    RAN.append(query)
    return f"{query}:{most}"


class Lookup(BaseTool):
    name: str = "lookup"
    description: str = "Look it up."
    prefix: str = ""

    def _run(self, query: str, run_manager: CallbackManagerForToolRun | None = None) -> str:
        RAN.append(query)
        return f"{self.prefix}{query}"


class Later(Lookup):
    async def _arun(self, query: str) -> str:
        RAN.append(query)
        return query


@pytest.fixture(autouse=True)
def _boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    RAN.clear()
    BOXED.clear()
    ANSWERS.clear()
    boxed_by(monkeypatch, BOXED, ANSWERS)


def guarded(made: Any) -> Any:
    return AgentCop(agent_id="agent", policy=GatePolicy(default="allow")).wrap(made)


TOOLS: dict[str, Callable[[], Any]] = {
    "structured": lambda: StructuredTool.from_function(looked_up, name="lookup", description="Look it up."),
    "simple": lambda: Tool(name="lookup", func=looked_up, description="Look it up."),
    "class": Lookup,
    "class with both": Later,
    "coroutine": lambda: StructuredTool.from_function(
        looked_up, coroutine=looked_up_later, name="lookup", description="Look it up."
    ),
}
CALL = {"name": "lookup", "args": {"query": "x"}, "id": "call_1", "type": "tool_call"}


@pytest.mark.parametrize("kind", TOOLS)
@pytest.mark.parametrize("awaited", [False, True], ids=["invoke", "ainvoke"])
def test_the_body_never_runs_here_and_the_boxs_answer_is_the_tools(kind: str, awaited: bool) -> None:
    made = guarded(TOOLS[kind]())
    ANSWERS.append("from the box")
    given: Any = "x" if kind == "simple" else {"query": "x"}
    result = asyncio.run(made.ainvoke(given)) if awaited else made.invoke(given)
    assert result == "from the box"
    assert RAN == []
    (went_in,) = BOXED
    assert "x" in (*went_in[0], *went_in[1].values())
    assert {"run_manager", "config", "callbacks"}.isdisjoint(went_in[1])


class Watching(BaseCallbackHandler):
    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        self.seen.append(("start", serialized["name"]))

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        self.seen.append(("end", output))

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        self.seen.append(("error", error))


def test_callbacks_hear_of_a_boxed_call_as_of_any_other() -> None:
    watching, made = Watching(), guarded(Lookup())
    ANSWERS.append("found")
    assert made.invoke({"query": "x"}, {"callbacks": [watching]}) == "found"
    error = ValueError("the tool's own")
    ANSWERS.append(error)
    with pytest.raises(ValueError, match="the tool's own") as raised:
        made.invoke({"query": "x"}, {"callbacks": [watching]})
    assert raised.value is error
    assert watching.seen == [("start", "lookup"), ("end", "found"), ("start", "lookup"), ("error", error)]


def test_a_call_of_a_model_gets_a_tool_message() -> None:
    ANSWERS.append("found")
    message = guarded(Lookup()).invoke(CALL)
    assert (type(message).__name__, message.content, message.tool_call_id) == ("ToolMessage", "found", "call_1")
    assert BOXED == [((), {"query": "x"})]


def test_an_artifact_comes_back_beside_its_content() -> None:
    ANSWERS.append(("two rows", [1, 2]))
    made = StructuredTool.from_function(
        looked_up, name="lookup", description="Look it up.", response_format="content_and_artifact"
    )
    message = guarded(made).invoke(CALL)
    assert (message.content, message.artifact) == ("two rows", [1, 2])


def test_an_error_that_the_tool_handles_is_handled_here() -> None:
    ANSWERS.append(ToolException("no rows"))
    made = StructuredTool.from_function(
        looked_up, name="lookup", description="Look it up.", handle_tool_error=lambda error: f"handled: {error}"
    )
    assert guarded(made).invoke({"query": "x"}) == "handled: no rows"
    assert RAN == []


def test_arguments_are_parsed_once_and_what_was_judged_goes_in() -> None:
    ANSWERS.extend(["b", "a"])
    made = guarded(StructuredTool.from_function(looked_up, name="lookup", description="Look it up."))
    made.invoke({"query": "x", "most": "7"})
    made.invoke({"query": "x"})
    assert BOXED == [((), {"query": "x", "most": 7}), ((), {"query": "x", "most": 3})]


async def never() -> object:
    raise AssertionError


def test_the_stand_in_is_of_the_tools_class_and_holds_what_it_holds() -> None:
    class Private(Lookup):
        _kept: str = PrivateAttr(default="kept")

    made = Private(prefix="p", metadata={"a": 1})
    twin: Any = stand_in(made, lambda: "boxed", never)
    assert type(twin) is Private
    assert (twin.prefix, twin.metadata, twin._kept, twin.name) == (  # noqa: SLF001 -- what a class keeps
        "p",
        {"a": 1},
        "kept",
        "lookup",
    )
    twin.prefix = "other"
    assert made.prefix == "p"
    assert made._run("x") == "px"  # noqa: SLF001 -- the body


class Twofold(Lookup):
    """Answers with what stands in the object once, then with its class's own."""

    def __getattribute__(self, name: str) -> Any:
        held = object.__getattribute__(self, "__dict__")
        if name == "_run" and name in held and held.setdefault("asked", 0):
            return type(self)._run.__get__(self)  # noqa: SLF001 -- the body
        if name == "_run":
            held["asked"] = 1
        return object.__getattribute__(self, name)


class Computed(Lookup):
    """The same by a property."""

    @property
    def _run(self) -> Any:
        held = self.__dict__
        asked, held["asked"] = held.get("asked", 0), 1
        return super()._run if asked or "_run" not in held else held["_run"]


class Impostor(Lookup):
    """Says that LangChain wrote its methods."""

    def run(self, *_: Any, **__: Any) -> Any:
        RAN.append("run")

    def invoke(self, *_: Any, **__: Any) -> Any:
        RAN.append("invoke")


Impostor.__module__ = "langchain_core.tools.base"


@pytest.mark.parametrize("kind", [Twofold, Computed, Impostor])
@pytest.mark.parametrize("way", ["run", "invoke"])
def test_a_class_that_would_have_its_body_run_here_is_refused(kind: type[Lookup], way: str) -> None:
    cop = AgentCop(agent_id="agent", policy=GatePolicy(default="allow"), sandbox_mode="container")
    made: Any = cop.wrap(kind())
    with pytest.raises(SandboxRefused):
        getattr(made, way)({"query": "x"})
    assert RAN == []


def test_a_class_is_made_again_of_what_differs_from_its_defaults() -> None:
    parcel = ship_run(Lookup(prefix="> "))
    assert (parcel.name, parcel.init, parcel.method) == ("Lookup", {"prefix": "> "}, "_run")
    assert ship_run(Lookup()).init == {}
    assert ship_arun(Lookup()).method == "_run"
    assert ship_arun(Later()).method == "_arun"


def test_a_function_is_shipped_without_the_framework() -> None:
    made = StructuredTool.from_function(looked_up, coroutine=looked_up_later, description="d")
    assert ship_run(made).name == "looked_up"
    assert ship_arun(made).name == "looked_up_later"
    assert ship_arun(StructuredTool.from_function(looked_up, description="d")).name == "looked_up"


@tool
def decorated(query: str) -> str:
    """Look it up."""
    return query * 2


def test_a_decorated_function_travels_as_text_without_its_decorator(tmp_path: Path) -> None:
    parcel = ship_run(decorated)
    assert "langchain" not in parcel.source
    assert run_parcel(parcel, tmp_path, query="x") == "xx"


class Wrapper(BaseModel):
    region: str = "eu"


class Wrapped(Lookup):
    api_wrapper: Wrapper = Wrapper()
    api_key: str = ""
    password: SecretStr | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class OwnRun(Lookup):
    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(*args)


class OwnInit(Lookup):
    def __init__(self, folder: str) -> None:
        super().__init__(prefix=folder)


def set_by_hand() -> Any:
    class Private(Lookup):
        _client: object = PrivateAttr(default=None)

    made = Private()
    made._client = object()  # noqa: SLF001 -- as programs do
    return made


def replaced() -> Any:
    made = Lookup()
    object.__setattr__(made, "_run", lambda query: query)  # pydantic knows no such field
    return made


def asks_for_configuration(query: str, config: RunnableConfig) -> str:
    return query


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: Wrapped(api_key="k-123"), "api_key is a secret.*sandbox.secrets"),
        (lambda: Wrapped(password=SecretStr("k-123")), "password is a secret"),
        (lambda: Wrapped(settings={"x": {"auth_token": "k-123"}}), "settings is a secret"),
        (lambda: Wrapped(settings={"place": "postgres://me:k-123@db/x"}), "settings is a secret"),
        (lambda: Wrapped(settings={"headers": ("Authorization", "k-123")}), "settings is a secret"),
        (lambda: Wrapped(api_wrapper=Wrapper(region="us")), "api_wrapper is no plain value"),
        (OwnRun, "a method run of its own.*`_run`"),
        (lambda: OwnInit("k-123"), "its __init__ takes something else"),
        (set_by_hand, "its private _client was set"),
        (replaced, "its _run was replaced.*its class"),
        (lambda: StructuredTool.from_function(coroutine=looked_up_later, description="d"), "not awaited.*ainvoke"),
        (lambda: StructuredTool.from_function(asks_for_configuration, description="d"), "takes LangChain's config"),
        (lambda: Tool(name="n", func=Lookup().invoke, description="d"), "method of an object"),
        (
            lambda: Lookup().as_tool(name="n", description="d", arg_types={"query": str}),
            "LangChain made it of an agent",
        ),
    ],
)
def test_what_cannot_be_made_again_is_refused_with_the_way_out(made: Callable[[], Any], why: str) -> None:
    with pytest.raises(NotShippable, match=rf"cannot run in a box: .*{why}") as refused:
        ship_run(made())
    assert "Way out: " in str(refused.value)
    assert "k-123" not in str(refused.value)


def test_names_that_only_sound_like_secrets_travel() -> None:
    settings = {"author": "me", "max_tokens": 3, "monkey": ["a", (1, b"2")]}
    assert ship_run(Wrapped(settings=settings)).init == {"settings": settings}


def test_defaults_that_are_models_are_left_to_the_class() -> None:
    assert ship_run(Wrapped()).init == {}
    assert ship_run(Wrapped(api_wrapper=Wrapper(region="eu"))).init == {}


ARMED = "from agentcop import AgentCop, GatePolicy\ncop = AgentCop(agent_id='a', policy=GatePolicy(default='allow'))\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with importable(tmp_path) as made:
        yield made


def test_a_class_whose_module_has_a_cop_travels_as_text(project: Project, tmp_path: Path) -> None:
    project.write(
        "classes_armed.py",
        ARMED
        + "from typing import Optional\n"
        + "from langchain_core.callbacks import CallbackManagerForToolRun\n"
        + "from langchain_core.tools import BaseTool\n"
        + "class Repeat(BaseTool):\n"
        + "    name: str = 'repeat'\n"
        + "    description: str = 'Repeat.'\n"
        + "    times: int = 2\n"
        + "    def _run(self, query: str, run_manager: Optional[CallbackManagerForToolRun] = None) -> str:\n"
        + "        return query * self.times\n",
    )
    parcel = ship_run(project.load("classes_armed").Repeat(times=3))
    assert "agentcop" not in parcel.source
    assert run_parcel(parcel, tmp_path / "box", query="x") == "xxx"


def test_a_decorated_function_that_no_text_can_hold_is_found_in_its_tool(project: Project, tmp_path: Path) -> None:
    project.write(
        "decorated_tools.py",
        "import os\nfrom langchain_core.tools import tool\nPLACE = os.path.join(os.sep)\n"
        "@tool\ndef place(query: str) -> str:\n    'Where.'\n    return PLACE + query\n",
    )
    parcel = ship_run(project.load("decorated_tools").place)
    assert (parcel.name, parcel.source) == ("place.func", "")
    assert run_parcel(parcel, tmp_path / "box", query="x") == "/x"
