"""A tool is made of a name, of source or of a class, runs as it would at home, and its answer says what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inside_boxes import Box

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sandbox


def test_a_function_is_imported_by_its_name(box: Box) -> None:
    box.prepare(module="os.path", name="join")
    assert box.call("/a", "b").value == "/a/b"


def test_folders_of_the_parcel_come_first(tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text("def tool(n): return n + 1\n")
    with Box(bwrap=("--ro-bind", str(tmp_path), "/project")) as box:
        box.prepare(module="colorsys", path=["/project"])
        assert box.call(1).value == 2


def test_a_class_is_made_with_its_arguments_and_its_method_called(box: Box) -> None:
    source = """
        class Outer:
            class Tool:
                def __init__(self, base, *, seen=()): self.base, self.seen = base, seen
                def run(self, n): return (self.base + n, self.seen)
                def __call__(self, n): return n * self.base
    """
    box.prepare(source, "Outer.Tool", init={"base": 2, "seen": (1, {2})}, method="run")
    assert box.call(3).value == (5, (1, {2}))
    box.prepare(source, "Outer.Tool", init={"base": 2})
    assert box.call(4).value == 8


def test_values_keep_their_types_on_both_ways(box: Box) -> None:
    value = {"a": (1, 2.5, None), 3: {b"x", "y"}, "$": 1 << 100}
    assert box.run("def tool(value): return [type(value['a']).__name__, value]", value).value == ["tuple", value]


GATHERING = """
import asyncio
async def one(n): return n
async def tool(n):
    await asyncio.sleep(0)
    return sum(await asyncio.gather(one(n), one(1)))
"""
AWAITABLE = """
class Later:
    def __init__(self, n): self.n = n
    def __await__(self):
        yield
        return self.n + 1
def tool(n): return Later(n)
"""
PARTIAL = "import functools\nasync def inner(n, m): return n + m\ntool = functools.partial(inner, m=1)"
CALLED = "class Tool:\n    async def __call__(self, n): return n + 1\ntool = Tool()"
METHOD = "class Tool:\n    async def run(self, n): return n + 1\ntool = Tool().run"
OLD = "import types\n@types.coroutine\ndef inner(n):\n    yield\n    return n + 1\ndef tool(n): return inner(n)"


@pytest.mark.parametrize(
    ("source", "awaited"),
    [
        ("async def tool(n): return n + 1", False),
        (GATHERING, False),
        (PARTIAL, False),
        (CALLED, False),
        (METHOD, False),
        ("async def inner(n): return n + 1\ndef tool(n): return inner(n)", True),
        (AWAITABLE, True),
        (OLD, True),
    ],
)
def test_an_asynchronous_tool_is_awaited(box: Box, source: str, awaited: bool) -> None:
    done = box.run(source, 1)
    assert (done.value, done.answer["awaited"]) == (2, awaited)


@pytest.mark.parametrize(
    "source",
    [
        "def tool():\n    print('ran')\n    yield 1",
        "async def tool():\n    print('ran')\n    yield 1",
        "import functools\ndef inner(n):\n    print('ran')\n    yield 1\ntool = functools.partial(inner, 1)",
        "class Tool:\n    def __call__(self):\n        print('ran')\n        yield 1\ntool = Tool()",
    ],
)
def test_a_generator_is_refused_before_it_runs(box: Box, source: str) -> None:
    done = box.run(source)
    assert (done.answer, done.out) == ({"stream": True}, b"")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("{}['k']", {"module": "builtins", "name": "KeyError", "args": ["k"], "text": "'k'"}),
        ("raise ValueError('a', (1, 2))", {"module": "builtins", "name": "ValueError", "text": "('a', (1, 2))"}),
        ("raise Own(3)", {"module": "made_up", "name": "Own", "args": [3], "text": "3"}),
        ("raise SystemExit(3)", {"module": "builtins", "name": "SystemExit", "args": [3], "text": "3"}),
        ("raise KeyboardInterrupt", {"module": "builtins", "name": "KeyboardInterrupt", "args": [], "text": ""}),
        ("raise Base", {"module": "made_up", "name": "Base", "args": [], "text": ""}),
        ("raise Own(Own)", {"args": ["<class 'made_up.Own'>"], "text": "<class 'made_up.Own'>"}),
        ("raise Mute(1)", {"args": [1], "text": "<Mute whose text raises ZeroDivisionError>"}),
        ("raise Own('x' * 5000)", {"args": ["x" * 5000], "text": "x" * 4000 + "… +1000"}),
        ("raise Own(*range(18))", {"args": [*range(16), "… +2"]}),
        ("raise Holding(1)", {"args": [1], "held": {"code": 1}, "text": "E1"}),
        ("raise Hiding(1)", {"name": "Hiding", "args": [1], "held": {}}),
        ("raise ExceptionGroup('g', [Own(n) for n in range(17)])", {"args": ["g"], "text": "g (17 sub-exceptions)"}),
        ("import asyncio; asyncio.run(asyncio.sleep('a'))", {"module": "builtins", "name": "TypeError"}),
    ],
)
def test_an_error_is_told_with_its_type_and_arguments(box: Box, body: str, error: dict[str, object]) -> None:
    source = f"""
        class Own(Exception): pass
        class Base(BaseException): pass
        class Holding(Exception):
            def __init__(self, code): self.code, self.live = code, object()
            def __str__(self): return f'E{{self.code}}'
        class Hiding(Exception):
            __dict__ = property(lambda self: 1)
        class Mute(Exception):
            def __str__(self): return 1 / 0
        def tool():
            {body}
    """
    told = box.run(source).answer["error"]
    assert isinstance(told, dict)
    assert {name: told[name] for name in error} == error


def test_an_error_with_huge_arguments_is_told_all_the_same() -> None:
    with Box(max_result=10_000) as box:
        told = box.run("def tool(): raise ValueError('x' * 50_000)").answer["error"]
        assert isinstance(told, dict)
        assert (told["name"], told["args"]) == ("ValueError", ["'" + "x" * 199 + "… +49802"])


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("{'x': {object()}}", "a value of type builtins.object at result['x']{…}"),
        ("(n for n in ())", "a value of type builtins.generator at result"),
        ("Odd()", "a value of type made_up.Odd at result"),
    ],
)
def test_a_result_that_cannot_be_sent_is_told_with_where(box: Box, expression: str, why: str) -> None:
    done = box.run(f"class Odd(int): pass\ndef tool(): return {expression}")
    assert done.answer == {"unsendable": why}


@pytest.mark.parametrize(
    ("parcel", "why"),
    [
        ({"module": "no_such_module"}, "ModuleNotFoundError: No module named 'no_such_module'"),
        ({"module": "os", "name": "no_such_name"}, "AttributeError: module 'os' has no attribute 'no_such_name'"),
        ({"module": "os", "name": "sep"}, "TypeError: os:sep is not callable"),
        ({"source": "def tool(:"}, "SyntaxError: invalid syntax (made_up.py, line 1)"),
        ({"source": "1 / 0"}, "ZeroDivisionError: division by zero"),
        ({"source": "raise SystemExit('no')"}, "SystemExit: no"),
        ({"source": "raise KeyboardInterrupt"}, "KeyboardInterrupt: "),
        ({"source": "class tool: pass", "init": {"a": 1}}, "TypeError: tool() takes no arguments"),
        ({"source": "from .other import thing", "module": "pack.age"}, "ModuleNotFoundError: No module named 'pack'"),
    ],
)
def test_a_tool_that_cannot_be_made_is_told_at_the_call(box: Box, parcel: dict[str, Any], why: str) -> None:
    box.prepare(**parcel)
    assert box.call().answer == {"unloadable": why}


def test_the_arguments_a_function_does_not_take_are_its_own_error(box: Box) -> None:
    told = box.run("def tool(a): pass", b=1).answer["error"]
    assert isinstance(told, dict)
    assert told["name"] == "TypeError"


def test_source_has_its_text_where_tracebacks_and_inspect_look_for_it(box: Box) -> None:
    source = """
        import dataclasses, inspect, pickle, sys, traceback, typing
        @dataclasses.dataclass
        class Point:
            x: 'int'
        def tool():
            assert sys.modules[__name__].tool is tool
            assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
            assert typing.get_type_hints(Point) == {'x': int}
            try: 1 / 0
            except ZeroDivisionError: return [traceback.format_exc(), inspect.getsource(Point)]
    """
    value = box.run(source).value
    assert isinstance(value, list)
    assert "try: 1 / 0" in value[0]
    assert value[1].splitlines()[1] == "class Point:"
