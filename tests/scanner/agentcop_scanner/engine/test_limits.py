"""Source that was made to keep an engine busy is done in bounded work, and what was not followed is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_scanner.engine.flow import frame
from scan_trees import report_of, written

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = {
    "a chain of methods": "import os\ndef f(x):\n    os.system(x" + ".strip()" * 60 + ")\n",
    "a chain of subscripts": "import os\ndef f(x):\n    os.system(x" + "[0]" * 80 + ")\n",
    "calls in calls": "import os\ndef f(x):\n    os.system(" + "str(" * 80 + "x" + ")" * 80 + ")\n",
    "a long sum": "import os\ndef f(x):\n    os.system(x" + " + x" * 900 + ")\n",
    "loops in loops": "import os\ndef f(x):\n"
    + "".join(f"{'    ' * (n + 1)}for a{n} in x:\n" for n in range(18))
    + "    " * 19
    + "os.system(a17)\n",
    "many branches, one after another": "import os\ndef f(x, y):\n"
    + "".join(f"    if y == {n}:\n        x = x + 'a'\n" for n in range(400))
    + "    os.system(x)\n",
    "branches in branches": "import os\ndef f(x, y):\n"
    + "".join(f"{'    ' * (n + 1)}if y:\n" for n in range(60))
    + "    " * 61
    + "os.system(x)\n",
    "functions that call each other": "import os\n"
    + "".join(
        f"def f{n}(x):\n    f{(n + 1) % 60}(x)\n    f{(n + 7) % 60}(x + 'a')\n    os.system('ls ' + x)\n"
        for n in range(60)
    ),
    "functions that call one another in a long row": "import os\n"
    + "".join(f"def f{n}(x):\n    f{n + 1}(x + 'a')\n" for n in range(700))
    + "def f700(x):\n    os.system('ls ' + x)\n",
    "a function that calls itself with fields": "import os\ndef f(x):\n"
    "    f(x.a)\n    f(x.b)\n    f(x['c'])\n    os.system(x.d)\n",
    "closures that call each other": "import os\ndef f(x):\n"
    + "".join(
        f"    def g{n}(a):\n        g{(n + 1) % 30}(a)\n        g{(n + 3) % 30}(a)\n        os.system(a)\n"
        for n in range(30)
    )
    + "    g0(x)\n",
    "names that stand for each other": "a = b\nb = a\nimport os\ndef f(x):\n    a(x)\n    os.system(x)\n",
    "classes that are each other's bases": "class A(B):\n    pass\n"
    "class B(A):\n    def f(self, x):\n        self.g(x)\n",
    "a class that makes itself": "class A:\n    def __init__(self, x):\n"
    "        self.a = A(x)\n        eval(self.a.a.a.x)\n",
    "a thousand parameters": f"import os\ndef f({', '.join(f'a{n}' for n in range(1000))}):\n"
    f"    os.system({' + '.join(f'a{n}' for n in range(200))})\n",
    "a list of lists": "import os\ndef f(x):\n    y = [x]\n" + "    y = [y, y]\n" * 60 + "    os.system(y)\n",
    "a dict of dicts": "import os\ndef f(x):\n    y = {'a': x}\n"
    + "    y = {'a': y, 'b': y}\n" * 60
    + "    os.system(y['a'])\n",
    "tuples of tuples": "import os\ndef f(x):\n    y = (x,)\n"
    + "    y = (y, y)\n" * 60
    + "    return y\ndef g(x):\n    os.system(f(x))\n",
    "lambdas": "import os\ndef f(x):\n    y = lambda a: os.system(a)\n"
    + "    y = (lambda y: lambda a: y(a))(y)\n" * 40
    + "    y(x)\n",
    "comprehensions": "import os\ndef f(x):\n    os.system(["
    + "[" * 15
    + "a"
    + " for a in x]" * 15
    + " for a in x])\n",
    "conditional expressions": "import os\ndef f(x, y):\n    os.system("
    + "x if y else (" * 60
    + "x"
    + ")" * 60
    + ")\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_source_is_done_within_a_budget(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = [0]
    real = frame.Frame.spend

    def counted(self: frame.Frame) -> bool:
        spent[0] += 1
        return real(self)

    monkeypatch.setattr(frame.Frame, "spend", counted)
    written(tmp_path, {"hostile.py": text})

    (file,) = report_of(tmp_path).files

    assert file.unscored is None
    assert spent[0] < 40 * len(text) + 60_000


def test_a_function_that_is_too_long_is_cut_and_it_is_said(tmp_path: Path) -> None:
    written(
        tmp_path, {"long.py": "import os\ndef f(x):\n" + "    x = [x, x, x, x, x, x]\n" * 12_000 + "    os.system(x)\n"}
    )

    report = report_of(tmp_path)

    assert any("long.py: f is too long to be followed to its end" in note for note in report.notes)


def test_ways_over_the_limit_are_counted(tmp_path: Path) -> None:
    lines = "".join(f"    os.system('ls ' + a{n % 40})\n" for n in range(900))
    written(tmp_path, {"many.py": f"import os\ndef f({', '.join(f'a{n}' for n in range(40))}):\n{lines}"})

    report = report_of(tmp_path)

    assert any("many.py: 500 ways of data in f were not followed" in note for note in report.notes)
