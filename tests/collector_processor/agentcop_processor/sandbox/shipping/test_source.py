"""A tool that cannot be imported in a box travels as its text, with all that its names lead to and no value."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agentcop_processor.sandbox.engine import Mount
from agentcop_processor.sandbox.parcel import NotShippable, Parcel
from agentcop_processor.sandbox.shipping import ship_class, ship_function
from parcels import run_parcel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parcels import Project

ARMED = "from agentcop import AgentCop, GatePolicy\ncop = AgentCop(agent_id='a', policy=GatePolicy(allow=['*']))\n"


def test_what_its_names_lead_to_travels_and_nothing_else(armed: Callable[[str], Any], box: Path) -> None:
    module = armed(
        """
        import os, re, json as j
        from dataclasses import dataclass
        SECRET = "not for the box"
        LIMIT = 2 * 10
        PATTERN = re.compile("[a-z]+")
        @dataclass
        class Row:
            text: str
            size: int = LIMIT
        def helper(text): return Row(PATTERN.findall(text)[0])
        @given
        def search(text: "NoSuchType", most: int = LIMIT) -> "NoSuchType":
            row = helper(text)
            return j.loads(j.dumps([row.text, row.size, most]))
        """
    )
    parcel = ship_function(module.TOOLS[0])
    assert run_parcel(parcel, box, "--ab-cd") == module.TOOLS[0]("--ab-cd") == ["ab", 20, 20]
    for absent in ("SECRET", "not for the box", "agentcop", "cop", "import os", "given"):
        assert absent not in parcel.source


def test_the_decorators_above_the_guard_are_taken_off_and_those_below_are_kept(
    armed: Callable[[str], Any], box: Path
) -> None:
    module = armed(
        """
        import functools
        def plus(number):
            def decorate(function):
                @functools.wraps(function)
                def inner(*args): return function(*args) + number
                return inner
            return decorate
        @cop.tool
        @plus(1)
        def kept(x): return x
        def above(x): return plus(100)(given(x))
        @above
        def bare(x): return x
        @functools.lru_cache
        def cached(x): return x + 2
        """
    )
    assert run_parcel(ship_function(module.cached), box, 1) == 3
    kept = next(cell.cell_contents for cell in module.kept.__closure__ if cell.cell_contents.__name__ == "kept")
    assert run_parcel(ship_function(kept), box, 1) == 2
    parcel = ship_function(module.TOOLS[0])
    assert "plus" not in parcel.source
    assert run_parcel(parcel, box, 1) == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("import os\nKEY = os.environ.get('HOME')\n@given\ndef tool(x): return KEY", "KEY, which was computed"),
        ("KEY = ''\nKEY += 'x'\n@given\ndef tool(x): return KEY", "KEY, which was computed"),
        ("class Client: pass\nclient = Client()\n@given\ndef tool(x): return client", "client, which was computed"),
        ("ROWS = [1]\nROWS.append(2)\n@given\ndef tool(x): return ROWS", "ROWS, which has changed"),
        ("if 1 > len(AgentCop.__name__):\n    A = 1\nelse:\n    A = 2\n@given\ndef tool(x): return A", "A, which"),
        ("globals()['MADE'] = 1\n@given\ndef tool(x): return MADE", "MADE, which its module's text does not define"),
        ("@given\ndef tool(x): return cop", "cop, which was computed"),
        ("@given\ndef tool(x): return __file__", "__file__"),
        (
            "KEY = dict(a=len(cop.__class__.__name__))\n@given\ndef tool(x, key=KEY): return key",
            "KEY, which was computed",
        ),
        ("with open('/dev/null') as FILE: pass\n@given\ndef tool(x): return FILE", "FILE, which was computed"),
        ("@given\ndef other(x): return x\n@given\ndef tool(x): return other(x)", "other, a tool itself"),
    ],
)
def test_what_was_computed_when_the_module_ran_stays_here(armed: Callable[[str], Any], text: str, read: str) -> None:
    with pytest.raises(NotShippable, match=rf"tool cannot run in a box: .*{read}.* Way out: "):
        ship_function(armed(text).TOOLS[-1])


def test_a_refusal_names_no_value(armed: Callable[[str], Any]) -> None:
    module = armed("import os\nKEY = 'k-' + os.environ['SECRET_FOR_TEST']\n@given\ndef tool(x): return KEY")
    with pytest.raises(NotShippable) as refused:
        ship_function(module.TOOLS[0])
    assert "hush" not in str(refused.value)


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_FOR_TEST", "hush")


def test_an_import_that_may_fail_and_a_branch_on_the_version_travel_whole(
    armed: Callable[[str], Any], box: Path
) -> None:
    module = armed(
        """
        import sys
        try:
            import no_such_module_here as fast
        except ImportError:
            fast = None
        if sys.version_info >= (3, 99):
            WORD = "new"
        else:
            WORD = "old"
        @given
        def tool(x): return [fast, WORD, x]
        """
    )
    assert run_parcel(ship_function(module.TOOLS[0]), box, 1) == [None, "old", 1]


def test_a_function_inside_of_another_is_shipped_if_it_uses_nothing_of_it(
    armed: Callable[[str], Any], box: Path
) -> None:
    module = armed(
        """
        FACTOR = 3
        def make(number):
            def free(x): return x * FACTOR
            def bound(x): return x * number
            return free, bound
        """
    )
    free, bound = module.make(2)
    assert run_parcel(ship_function(free), box, 2) == 6
    with pytest.raises(NotShippable, match=r"bound cannot run in a box: .*uses number of the function around it"):
        ship_function(bound)


def test_a_lambda_is_shipped_if_it_stands_alone_on_its_line(armed: Callable[[str], Any], box: Path) -> None:
    module = armed("FACTOR = 3\none = lambda x: x * FACTOR\ntwo = [lambda x: x, lambda x: x]")
    assert run_parcel(ship_function(module.one), box, 2) == 6
    with pytest.raises(NotShippable, match="several functions"):
        ship_function(module.two[0])


def test_a_project_module_that_the_text_imports_is_mounted(project: Project, box: Path) -> None:
    project.write("pack/__init__.py")
    project.write("pack/inner.py", "def twice(x): return 2 * x")
    project.write("pack/armed.py", ARMED + "from .inner import twice\ndef tool(x): return twice(x)\n")
    parcel = ship_function(project.load("pack.armed").tool)
    assert "from pack.inner import twice" in parcel.source
    assert [mount.target for mount in parcel.mounts] == ["/project/0/pack"]
    assert run_parcel(parcel, box, 2) == 4


def test_text_that_has_changed_since_it_was_loaded_is_not_shipped(project: Project) -> None:
    path = project.write("armed.py", ARMED + "def tool(x): return x\n")
    tool = project.load("armed").tool
    path.write_text(ARMED + "def tool(x): return -x\n")
    with pytest.raises(NotShippable, match="is not what has been loaded"):
        ship_function(tool)


def test_a_program_ships_its_own_functions(tmp_path: Path, box: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        ARMED
        + "import dataclasses, json\nfrom agentcop_processor.sandbox.shipping import ship_function\n"
        + "LIMIT = 3\ndef tool(x): return x * LIMIT\n"
        + "guarded = cop.tool(tool)\n"
        + "if __name__ == '__main__':\n    print(json.dumps(dataclasses.asdict(ship_function(tool))))\n"
    )
    assert run_parcel(_printed(str(program)), box, 2) == 6


def test_text_that_was_never_in_a_file_is_not_shipped() -> None:
    names: dict[str, Any] = {"__name__": __name__}
    exec("def tool(x): return x", names)  # noqa: S102 -- what cannot be shipped
    with pytest.raises(NotShippable, match="tool cannot run in a box"):
        ship_function(names["tool"])


@pytest.mark.parametrize("name", ["helper", "Helper", "LIMIT"])
def test_what_the_program_has_changed_since_is_not_what_would_travel(armed: Callable[[str], Any], name: str) -> None:
    module = armed(
        """
        LIMIT = {"most": 3}
        class Helper:
            def limit(self): return LIMIT["most"]
        def helper(): return Helper().limit()
        @given
        def tool(x): return helper()
        """
    )
    assert ship_function(module.TOOLS[0]).name == "tool"
    setattr(module, name, {"most": 4} if name == "LIMIT" else lambda: 4)
    with pytest.raises(NotShippable, match=rf"{name}, which has changed since its module ran"):
        ship_function(module.TOOLS[0])


def test_a_method_put_into_a_class_since_is_noticed(armed: Callable[[str], Any]) -> None:
    module = armed("class A:\n    def b(self): return 1\n@given\ndef tool(x): return A().b()\n")
    module.A.b = cop_of(module).tool(module.A.b)
    with pytest.raises(NotShippable, match="A, of which a method is a tool itself"):
        ship_function(module.TOOLS[0])


def cop_of(module: Any) -> Any:
    return module.cop


def test_a_class_whose_module_holds_a_cop_travels_with_what_it_uses(armed: Callable[[str], Any], box: Path) -> None:
    module = armed(
        """
        from typing import ClassVar
        BASE = 1
        class Above:
            base: ClassVar[int] = BASE
        class Tool(Above):
            def __init__(self, plus=0): self.plus = plus
            def call(self, x): return x + self.base + self.plus
        """
    )
    parcel = ship_class(module.Tool, {"plus": 5}, "call")
    assert "agentcop" not in parcel.source
    assert run_parcel(parcel, box, 1) == 7


def test_a_program_that_imports_of_its_folder_later_gets_it_in_the_box(tmp_path: Path, box: Path) -> None:
    (tmp_path / "later.py").write_text("THREE = 3\n")
    (tmp_path / ".env").write_text("secret")
    (tmp_path / "program.py").write_text(
        ARMED
        + "import dataclasses, json\nfrom agentcop_processor.sandbox.shipping import ship_function\n"
        + "def tool(x):\n    from later import THREE\n    return x * THREE\n"
        + "print(json.dumps(dataclasses.asdict(ship_function(tool))))\n"
    )
    parcel = _printed(str(tmp_path / "program.py"))
    assert [mount.target for mount in parcel.mounts] == ["/project/0/later.py"]
    assert run_parcel(parcel, box, 2) == 6


def test_a_notebook_ships_what_its_cells_last_said(tmp_path: Path, box: Path) -> None:
    """As IPython runs cells: each compiled for itself, under a name of its own, and all remembered in `_ih`."""
    cells = [
        ARMED,
        "LIMIT = 2",
        "def helper(x): return x * LIMIT",
        "this is no Python",
        "def tool(x): return helper(x)\nguarded = cop.tool(tool)",
        "def helper(x): return -x * LIMIT",
    ]
    program = tmp_path / "cells.py"
    program.write_text(
        f"import dataclasses, json, sys\n_ih = ['', *{cells!r}]\n"
        "for number, cell in enumerate(_ih):\n"
        "    if 'no Python' not in cell:\n"
        "        exec(compile(cell, f'<cell {number}>', 'exec'))\n"
        "from agentcop_processor.sandbox.shipping import ship_function\n"
        "print(json.dumps(dataclasses.asdict(ship_function(tool))))\n"
    )
    assert run_parcel(_printed(str(program)), box, 2) == -4


def _printed(*arguments: str) -> Parcel:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    del told["made_of"]
    return Parcel(**{**told, "path": tuple(told["path"]), "mounts": tuple(Mount(**each) for each in told["mounts"])})
