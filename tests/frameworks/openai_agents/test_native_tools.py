"""Shells, patches, custom tools and computers of the OpenAI Agents SDK: judged by what they do, refused in kind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import agents
import pytest
from agents import (
    ApplyPatchTool,
    AsyncComputer,
    Computer,
    ComputerTool,
    LocalShellTool,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellResult,
    ShellTool,
)
from agents.editor import ApplyPatchOperation, ApplyPatchResult

from agentcop import AgentCop, GatePolicy, PolicyBlocked
from openai_server import Reply, say
from sdk_agents import agent, model, run, run_streamed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []
REFUSAL = "Blocked by policy (gate.default). Do not retry; tell the user."
HAS_CUSTOM = hasattr(agents, "CustomTool")


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**gate))


def lines(guard: AgentCop) -> list[tuple[str, str, Any]]:
    every = [json.loads(line) for line in guard.gate_log.read_text().splitlines()]
    return [(line["tool"], line["verdict"], line["args"]) for line in every if line["kind"] == "decision"]


def shell(request: Any) -> ShellResult:
    action = request.data.action
    RAN.append((action.commands, action.timeout_ms))
    output = ShellCommandOutput(stdout="done", outcome=ShellCallOutcome(type="exit", exit_code=0))
    return ShellResult(output=[output])


async def shell_later(request: Any) -> ShellResult:
    return shell(request)


def local_shell(request: Any) -> str:
    RAN.append((request.data.action.command, request.data.action.working_directory))
    return "done"


class Editor:
    """Writes down what it is asked to do."""

    def create_file(self, operation: Any) -> Any:
        RAN.append(("create", operation.path, operation.diff))
        return ApplyPatchResult(status="completed", output="created")

    async def update_file(self, operation: Any) -> Any:
        RAN.append(("update", operation.path, operation.diff))
        return "updated"

    def delete_file(self, operation: Any) -> Any:
        RAN.append(("delete", operation.path, operation.diff))


class Screen(Computer):
    """A computer whose every method is written down."""

    environment = "browser"
    dimensions = (100, 100)

    def screenshot(self) -> str:
        RAN.append("screenshot")
        return "cGljdHVyZQ=="

    def click(self, x: int, y: int, button: Any, **_: Any) -> None:
        RAN.append(("click", x, y, button))

    def double_click(self, x: int, y: int, **_: Any) -> None:
        RAN.append("double_click")

    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int, **_: Any) -> None:
        RAN.append("scroll")

    def type(self, text: str) -> None:
        RAN.append(("type", text))

    def wait(self) -> None:
        RAN.append("wait")

    def move(self, x: int, y: int, **_: Any) -> None:
        RAN.append("move")

    def keypress(self, keys: list[str]) -> None:
        RAN.append(("keypress", keys))

    def drag(self, path: list[tuple[int, int]], **_: Any) -> None:
        RAN.append("drag")


class AsyncScreen(AsyncComputer):
    """The same, awaited."""

    environment = "browser"
    dimensions = (100, 100)


for _name in ("screenshot", "click", "double_click", "scroll", "type", "wait", "move", "keypress", "drag"):

    def _made(name: str) -> Callable[..., Any]:
        async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(Screen(), name)(*args, **kwargs)

        return method

    setattr(AsyncScreen, _name, _made(_name))
AsyncScreen.__abstractmethods__ = frozenset()

SHELL_CALL = {"type": "shell_call", "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None}}
LOCAL_CALL = {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls", "-l"], "env": {}}}
PATCH_CALL = {"type": "apply_patch_call", "operation": {"type": "update_file", "path": "a.py", "diff": "+x"}}
CUSTOM_CALL = {"type": "custom_tool_call", "name": "sql", "input": "select 1"}
CLICK = {"type": "click", "button": "left", "x": 1, "y": 2}
COMPUTER_CALL = {"type": "computer_call", "pending_safety_checks": [], "action": CLICK}


def custom() -> Any:
    async def invoke(context: Any, text: str) -> str:
        RAN.append(text)
        return "1 row"

    return agents.CustomTool(name="sql", description="Ask the database.", on_invoke_tool=invoke)


KINDS: dict[str, tuple[Callable[[], Any], dict[str, Any], Any, Any]] = {
    "shell": (
        lambda: ShellTool(executor=shell),
        SHELL_CALL,
        {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
        [(["ls"], 5)],
    ),
    "shell, async": (
        lambda: ShellTool(executor=shell_later),
        SHELL_CALL,
        {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
        [(["ls"], 5)],
    ),
    "local shell": (
        lambda: LocalShellTool(executor=local_shell),
        LOCAL_CALL,
        {"command": ["ls", "-l"], "env": {}, "timeout_ms": None, "user": None, "working_directory": None},
        [(["ls", "-l"], None)],
    ),
    "patch": (
        lambda: ApplyPatchTool(editor=Editor()),
        PATCH_CALL,
        {"operation": "update_file", "path": "a.py", "diff": "+x"},
        [("update", "a.py", "+x")],
    ),
    "computer": (
        lambda: ComputerTool(computer=Screen()),
        COMPUTER_CALL,
        {"actions": [CLICK]},
        [("click", 1, 2, "left"), "screenshot"],
    ),
    "computer, async": (
        lambda: ComputerTool(computer=AsyncScreen()),
        COMPUTER_CALL,
        {"actions": [CLICK]},
        [("click", 1, 2, "left"), "screenshot"],
    ),
}
if HAS_CUSTOM:
    KINDS["custom"] = (custom, CUSTOM_CALL, {"input": "select 1"}, ["select 1"])


def asked(guard: AgentCop | None, tool: Any, item: dict[str, Any], how: Any = run) -> list[dict[str, Any]]:
    """The outputs that the model gets for a call of this tool."""
    with model([Reply(items=(item,)), say("done")], responses=True) as (llm, url):
        made = agent(llm, [tool])
        result = how(made if guard is None else guard.wrap(made))
        assert result.final_output == "done"
        assert len(url.requests) == 2
    return [each.raw_item for each in result.new_items if each.type == "tool_call_output_item"]


@pytest.mark.parametrize("how", [run, run_streamed])
@pytest.mark.parametrize("kind", KINDS)
def test_an_allowed_call_runs_and_is_answered_as_without_us(kind: str, how: Any) -> None:
    make, item, judged, effects = KINDS[kind]
    without = asked(None, make(), item, how)
    RAN.clear()
    tool = make()
    guard = cop(allow=[tool.name])
    assert asked(guard, tool, item, how) == without
    assert effects == RAN
    assert guard.counts() == {"allowed": 1}
    ((name, verdict, arguments),) = lines(guard)
    assert (name, verdict) == (tool.name, "allow")
    assert {key: arguments[key] for key in judged if key != "actions"} == {
        key: value for key, value in judged.items() if key != "actions"
    }
    for seen, expected in zip(arguments.get("actions", ()), judged.get("actions", ()), strict=True):
        assert expected.items() <= seen.items()


@pytest.mark.parametrize("how", [run, run_streamed])
@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_call_runs_nothing_and_is_answered_in_kind(kind: str, how: Any) -> None:
    make, item, _, _ = KINDS[kind]
    guard = cop(allow=["nothing"], on_block="return_message")
    (output,) = asked(guard, make(), item, how)
    assert (RAN, guard.counts()) == ([], {"blocked": 1})
    assert output["call_id"] == "item_call_1_0"
    if "computer" in kind:
        assert output["type"] == "computer_call_output"
        assert output["output"]["image_url"].startswith("data:image/png;base64,iVBOR")
    elif kind == "patch":
        assert (output["type"], output["status"], output["output"]) == ("apply_patch_call_output", "failed", REFUSAL)
    elif "local" in kind or kind == "custom":
        assert output["output"] == REFUSAL
    else:
        assert output["type"] == "shell_call_output"
        assert REFUSAL in json.dumps(output)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loud_refusal_reaches_the_caller_and_the_model_is_not_asked_again(kind: str) -> None:
    make, item, _, _ = KINDS[kind]
    with model([Reply(items=(item,)), say("done")], responses=True) as (llm, url):
        tool = make()
        with pytest.raises(PolicyBlocked) as refused:
            run(cop(allow=["nothing"]).wrap(agent(llm, [tool])))
    assert (refused.value.tool, RAN, len(url.requests)) == (tool.name, [], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrapped_tool_is_governed_in_an_agent_of_nobody(kind: str) -> None:
    make, item, _, _ = KINDS[kind]
    tool = make()
    guard = cop(allow=["nothing"], on_block="return_message")
    guard.wrap([tool])
    asked(None, tool, item)
    assert (RAN, guard.counts()) == ([], {"blocked": 1})


def test_conditions_read_what_is_done() -> None:
    rules: list[Any] = [
        {"tool": "shell", "when": 'args.commands.all(each, shell.only(each, ["ls"]))'},
        {"tool": "apply_patch", "when": 'args.operation != "delete_file" && path.within(args.path, "src")'},
        {"tool": "computer_use_preview", "when": 'args.actions.all(each, each.type != "type")'},
    ]
    guard = cop(allow=rules, on_block="return_message")
    shells = [{**SHELL_CALL, "action": {"commands": commands}} for commands in (["ls"], ["ls", "rm x"], ["ls; rm x"])]
    for item in shells:
        asked(guard, ShellTool(executor=shell), item)
    operations = [
        ("update_file", "src/a"),
        ("delete_file", "src/a"),
        ("create_file", "src/../b"),
        ("create_file", "src/c"),
    ]
    for kind, path in operations:
        item = {**PATCH_CALL, "operation": {"type": kind, "path": path, "diff": "+x"}}
        asked(guard, ApplyPatchTool(editor=Editor()), item)
    for action in (CLICK, {"type": "type", "text": "secret"}):
        asked(guard, ComputerTool(computer=Screen()), {**COMPUTER_CALL, "action": action})
    assert [effect for effect in RAN if effect != "screenshot"] == [
        (["ls"], None),
        ("update", "src/a", "+x"),
        ("create", "src/c", "+x"),
        ("click", 1, 2, "left"),
    ]


def test_what_the_application_changes_after_the_verdict_changes_nothing() -> None:
    class Hooks(agents.RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            items[0]["action"]["commands"][0] = "rm"

    items = [json.loads(json.dumps(SHELL_CALL))]
    with model([Reply(items=(items[0],)), say("done")], responses=True) as (llm, _):
        guard = cop(allow=[{"tool": "shell", "when": 'args.commands == ["ls"]'}])
        run(guard.wrap(agent(llm, [ShellTool(executor=shell)])), hooks=Hooks())
    assert RAN == [(["ls"], 5)]


def test_an_executor_called_by_hand_is_judged_and_keeps_its_shape() -> None:
    tool = ShellTool(executor=shell)
    guard = cop(allow=["nothing"])
    guard.wrap([tool])
    request = agents.ShellCommandRequest(
        ctx_wrapper=agents.RunContextWrapper(context=None),
        data=agents.ShellCallData(call_id="c", action=agents.ShellActionRequest(commands=["ls"])),
    )
    with pytest.raises(PolicyBlocked):
        tool.executor(request)
    free = ShellTool(executor=shell)
    assert free.executor(request).output[0].stdout == "done"
    assert RAN == [(["ls"], None)]


def test_an_editor_called_by_hand_is_judged_and_is_still_the_editor() -> None:
    editor = Editor()
    tool = ApplyPatchTool(editor=editor)
    cop(allow=["nothing"], on_block="return_message").wrap([tool])
    assert isinstance(tool.editor, Editor)
    assert tool.editor == editor
    operation = ApplyPatchOperation(type="create_file", path="x", diff="+y")
    assert tool.editor.create_file(operation).output == REFUSAL
    assert replace(tool).editor == editor
    assert RAN == []


def test_two_screens_and_a_batch_of_actions_are_one_call_each() -> None:
    actions = [CLICK, {"type": "type", "text": "hi"}, {"type": "screenshot"}]
    item: dict[str, Any] = {"type": "computer_call", "pending_safety_checks": [], "actions": actions}
    if "actions" not in agents.items.ResponseComputerToolCall.model_fields:
        item = COMPUTER_CALL
    guard = cop(allow=["computer_use_preview"])
    asked(guard, ComputerTool(computer=Screen()), item)
    assert guard.counts() == {"allowed": 1}
    assert len(lines(guard)[0][2]["actions"]) == len(item.get("actions", [CLICK]))
