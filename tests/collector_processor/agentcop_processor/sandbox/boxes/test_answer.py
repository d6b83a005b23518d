"""What comes back from a box is hostile: it gives a value, an exception by its type, or an error of ours."""

from __future__ import annotations

import concurrent.futures
import json
import subprocess
import sys
import traceback
import types
import urllib.error
from typing import Any, Self

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from agentcop_core.errors import ResultTooLarge, ResultUnsendable, SandboxCrashed, SandboxError, SandboxTimeout
from agentcop_processor.sandbox.boxes.answer import Given, Unloadable, given
from agentcop_processor.sandbox.boxes.conversation import Reply
from agentcop_processor.sandbox.settings import Settings

RAN: list[object] = []
assert concurrent.futures.CancelledError.__module__ == "concurrent.futures._base", "it is loaded here"
assert urllib.error.HTTPError.__module__ == "urllib.error", "it is loaded here too"


class Own(Exception):  # noqa: N818 -- as an application names it
    """An application's error, as it is loaded here."""

    made = 0

    @property
    def spoken(self) -> str:
        """What nobody sets."""
        return "own"

    def __init__(self, text: str) -> None:
        type(self).made += 1
        super().__init__(text)


class Maker(Exception):  # noqa: N818 -- as above
    """An error whose making runs code."""

    def __new__(cls, *args: object) -> Self:
        RAN.append(args)
        return super().__new__(cls, *args)


class GraphBubbleUp(Exception):  # noqa: N818 -- as LangGraph names what it lets through to its own loop
    """What a framework's loop obeys."""


GraphBubbleUp.__module__ = "langgraph.errors"


class GraphInterrupt(GraphBubbleUp):
    """One kind of it."""


def reply(result: object, status: Any = "ok", code: int | None = None) -> Reply:
    data = result if isinstance(result, bytes) else json.dumps(result).encode()
    return Reply(status=status, exit=code, ms=1.0, result=data, stdout=b"", stderr=b"", cut=0)


def answered(result: object) -> object:
    return given("tool", reply(result), Settings()).value


def raised(module: object, name: object, args: object, text: object = "text") -> Exception:
    try:
        answered({"error": {"module": module, "name": name, "args": args, "text": text}})
    except Exception as error:
        return error
    raise AssertionError


def test_a_value_comes_back_and_says_whether_it_was_awaited() -> None:
    got = given("tool", reply({"value": {"$": "tuple", "v": [1, 2]}, "awaited": True}), Settings())
    assert (got.value, got.awaited) == ((1, 2), True)


@pytest.mark.parametrize(
    ("status", "kind"), [("timeout", SandboxTimeout), ("too_large", ResultTooLarge), ("crashed", SandboxCrashed)]
)
def test_a_call_without_an_answer_is_an_error_of_its_own(status: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        given("tool", reply(b"", status), Settings())


@pytest.mark.parametrize(("code", "words"), [(-9, "signal 9"), (3, "exit code 3"), (None, "its box is gone")])
def test_a_crash_says_how(code: int | None, words: str) -> None:
    with pytest.raises(SandboxCrashed, match=words):
        given("tool", reply(b"", "crashed", code), Settings())


def test_a_builtin_exception_keeps_type_and_arguments() -> None:
    error = raised("builtins", "FileNotFoundError", [2, "No such file", "x"])
    assert type(error) is FileNotFoundError
    assert (error.errno, error.filename) == (2, "x")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("UnicodeDecodeError", ["utf-8", {"$": "bytes", "v": "/w=="}, 0, 1, "invalid start byte"]),
        ("UnicodeEncodeError", ["ascii", "né", 1, 2, "ordinal not in range"]),
        ("SyntaxError", ["bad", {"$": "tuple", "v": ["f.py", 1, 2, "a b", 1, 3]}]),
    ],
)
def test_an_exception_about_a_part_of_a_text_keeps_it(name: str, args: list[object]) -> None:
    error = raised("builtins", name, args)
    assert type(error).__name__ == name
    assert str(error)


FAR = 10**15


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("UnicodeDecodeError", ["utf-8", {"$": "bytes", "v": "/w=="}, -FAR, 1 - FAR, "x"]),
        ("UnicodeDecodeError", ["utf-8", {"$": "bytes", "v": ""}, 0, 1, "x"]),
        ("UnicodeEncodeError", ["utf-8", "x", -FAR, 1 - FAR, "x"]),
        ("UnicodeEncodeError", ["utf-8", "x", 0, FAR, "x"]),
        ("UnicodeTranslateError", ["x", -FAR, 1 - FAR, "x"]),
        ("SyntaxError", ["x", {"$": "tuple", "v": ["f.py", 1, 1, "x", 1, FAR]}]),
        ("IndentationError", ["x", {"$": "tuple", "v": ["f.py", 1, -FAR, "x", 1, 1]}]),
        ("SyntaxError", ["x", {"$": "tuple", "v": ["f.py", 1, 1, "x", 1, "1"]}]),
    ],
)
def test_an_exception_about_a_part_that_is_not_there_is_not_made_for_to_show_it_ends_this_process(
    name: str, args: list[object]
) -> None:
    error = raised("builtins", name, args)
    assert type(error) is SandboxError
    assert len("".join(traceback.format_exception(error))) < 10_000


def test_an_applications_exception_keeps_its_type_and_its_constructor_does_not_run() -> None:
    Own.made = 0
    error = raised(__name__, "Own", ["3 left"])
    assert (type(error), error.args, Own.made) == (Own, ("3 left",), 0)


def test_what_an_exception_held_is_held_again_but_takes_no_methods_place() -> None:
    held = {"code": {"$": "tuple", "v": [1]}, "with_traceback": 1, "args": ["y"], "__class__": 1, "a b": 1, "spoken": 1}
    told = {"module": __name__, "name": "Own", "args": ["x"], "text": "text", "held": held}
    with pytest.raises(Own) as error:
        answered({"error": told})
    assert {name: value for name, value in vars(error.value).items() if name != "__notes__"} == {"code": (1,)}
    assert error.value.args == ("x",)


def test_an_exception_that_only_its_attributes_make_readable_comes_by_its_type() -> None:
    held = {"returncode": 3, "cmd": ["a"], "output": None, "stderr": None}
    told = {"module": "subprocess", "name": "CalledProcessError", "args": [3, ["a"]], "text": "text", "held": held}
    with pytest.raises(subprocess.CalledProcessError, match="non-zero exit status 3"):
        answered({"error": told})


def one(name: str, *args: object, **more: object) -> dict[str, object]:
    return {"module": "builtins", "name": name, "args": list(args), "text": "text", **more}


@pytest.mark.parametrize("trace", ["", "Traceback: in the tool"])
def test_an_exception_that_cannot_be_shown_without_its_constructor_comes_as_an_error_of_ours(trace: str) -> None:
    held = {"code": 403, "msg": "Forbidden"}
    told = {
        "module": "urllib.error",
        "name": "HTTPError",
        "args": [],
        "text": "HTTP Error 403: Forbidden",
        "held": held,
    }
    with pytest.raises(SandboxError, match=r"^tool: HTTPError: HTTP Error 403: Forbidden") as error:
        answered({"error": {**told, "trace": trace}})
    assert ("in the tool" in "".join(traceback.format_exception(error.value))) is bool(trace)


def test_a_group_comes_back_as_one_whose_members_steer_nobody() -> None:
    inner = [one("ValueError", 1), one("StopIteration"), one("SystemExit", 3), one("ExceptionGroup", "in", group=[])]
    with pytest.raises(ExceptionGroup, match="many") as error:
        answered({"error": one("ExceptionGroup", "many", group=inner)})
    assert [type(each) for each in error.value.exceptions] == [ValueError, SandboxError, SandboxError, SandboxError]


@pytest.mark.parametrize("group", [None, [], "x", {"a": 1}, [[]] * 100])
def test_what_is_no_group_is_an_error_of_ours(group: object) -> None:
    with pytest.raises(SandboxError, match="ExceptionGroup"):
        answered({"error": one("ExceptionGroup", "many", group=group)})


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "SystemExit"),
        ("builtins", "KeyboardInterrupt"),
        ("builtins", "GeneratorExit"),
        ("builtins", "eval"),
        ("builtins", "Exception.__init__"),
        ("os", "system"),
        ("sys", "modules"),
        ("agentcop_core.errors", "PolicyBlocked"),
        ("agentcop_core.errors", "SandboxRefused"),
        ("agentcop_processor.sandbox.boxes.lease", "Refused"),
        ("agentcop_processor.sandbox.engine", "LinkLost"),
        ("builtins", "StopIteration"),
        ("builtins", "StopAsyncIteration"),
        ("concurrent.futures._base", "CancelledError"),
        (__name__, "GraphInterrupt"),
        (__name__, "Maker"),
        (__name__, "Given"),
        ("no.such.module", "Error"),
        (None, None),
        (["builtins"], {"a": 1}),
    ],
)
def test_what_is_no_plain_loaded_exception_comes_as_an_error_of_ours(module: object, name: object) -> None:
    RAN.clear()
    error = raised(module, name, ["x"])
    assert type(error) is SandboxError
    assert RAN == []


SHOWN_BY = {"name": "antigravity", "name_from": "x", "msg": "x", "path": "x", "obj": "x", "offset": FAR, "start": -FAR}


@pytest.mark.parametrize("name", ["ImportError", "ModuleNotFoundError", "NameError", "AttributeError", "SyntaxError"])
def test_no_attribute_by_which_python_shows_an_error_comes_from_a_box(name: str) -> None:
    sys.modules.pop("antigravity", None)
    told = {"module": "builtins", "name": name, "args": ["x"], "text": "x", "held": SHOWN_BY}
    with pytest.raises(Exception, match="x") as caught:
        answered({"error": told})
    assert len("".join(traceback.format_exception(caught.value))) < 10_000
    assert "antigravity" not in sys.modules


def test_an_exception_that_holds_more_than_any_child_sends_is_not_made() -> None:
    told = {"module": "builtins", "name": "ValueError", "args": ["x"], "text": "x"}
    with pytest.raises(SandboxError):
        answered({"error": {**told, "held": {f"a{number}": 1 for number in range(50_000)}}})


def test_nothing_is_imported_because_a_box_names_it() -> None:
    for name in ("this", "antigravity"):
        sys.modules.pop(name, None)
        raised(name, "Error", [])
        assert name not in sys.modules


class Lazy(types.ModuleType):
    """A module that is loaded when something of it is asked for."""

    def __getattribute__(self, name: str) -> object:
        RAN.append(name)
        return super().__getattribute__(name)


def test_a_module_that_loads_itself_when_it_is_looked_at_stays_unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lazy_module", Lazy("lazy_module"))
    RAN.clear()
    assert type(raised("lazy_module", "Error", [])) is SandboxError
    assert RAN == []


def test_a_forged_refusal_is_no_refusal() -> None:
    error = raised("agentcop_core.errors", "ApprovalDenied", [], "denied by kim")
    assert type(error) is SandboxError


def test_what_a_terminal_would_obey_is_shown_as_text() -> None:
    error = raised("x", "E\x1b[31m", [], "\x1b]0;owned\x07")
    assert "\x1b" not in str(error)
    with pytest.raises(ResultUnsendable) as unsendable:
        answered({"unsendable": "\x1b[2J"})
    assert "\x1b" not in str(unsendable.value)


@pytest.mark.parametrize("answer", [{"unloadable": "No module named 'x'"}, {"stream": True}])
def test_a_tool_that_could_not_be_made_is_no_refusal_for_one_that_ran_could_say_so_too(answer: object) -> None:
    with pytest.raises(Unloadable):
        answered(answer)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (Settings(), "build --from-venv` puts this environment's packages into agentcop/agent-sandbox:2.0-venv, for"),
        (Settings(image="mine:1"), "build --from-venv --tag mine:1` puts this environment's packages into the image"),
    ],
)
def test_who_lacks_a_package_is_told_how_to_get_it_and_not_to_put_it_into_everybodys_image(
    settings: Settings, advice: str
) -> None:
    with pytest.raises(Unloadable, match="No module named 'x'; `agentcop sandbox") as error:
        given("tool", reply({"unloadable": "No module named 'x'"}), settings)
    assert advice in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"value":1,"error":{}}',
        b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"value":' + b"9" * 900_000 + b"}",
        b'{"value":NaN}',
        b'{"value":{"$":"nonsense","v":1}}',
        b"\xff\xfe",
    ],
    ids=["empty", "list", "nothing", "two", "deep", "digits", "nan", "unknown tag", "no text"],
)
def test_an_answer_that_is_none_is_a_crash(data: bytes) -> None:
    with pytest.raises(SandboxCrashed):
        answered(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
answers = st.dictionaries(
    st.sampled_from(["value", "error", "unsendable", "unloadable", "stream", "awaited", "x"]), anything, max_size=3
)


@for_all(st.binary(max_size=60) | answers.map(lambda each: json.dumps(each).encode()))
def test_whatever_comes_back_gives_a_value_or_an_ordinary_error(data: bytes) -> None:
    outcome: object
    try:
        outcome = given("tool", reply(data), Settings())
    except Exception as error:
        outcome = error
    assert isinstance(outcome, Given | SandboxError) or type(outcome).__module__ == "builtins"
