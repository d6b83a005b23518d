"""A scan reads and parses: it never imports or runs what it scans, opens no socket, and says the same each time."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.scan import scan
from scan_trees import report_of, written

if TYPE_CHECKING:
    from pathlib import Path

WATCHED = """
import sys
from pathlib import Path

events = []

def watch(event, arguments):
    if event.startswith("socket.") or event in {"exec", "os.system", "os.exec", "pty.spawn", "ctypes.dlopen"}:
        events.append((event, str(arguments)[:200]))

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.scan import scan
import agentcop_scanner.rules, agentcop_scanner.work.pool
agentcop_scanner.rules.all_rules()
sys.addaudithook(watch)
report = scan([Path(sys.argv[1])], ScanOptions(jobs=int(sys.argv[2])))
print(len(report.files), sum(len(file.findings) for file in report.files))
foreign = [name for name, module in sys.modules.items() if sys.argv[1] in str(getattr(module, "__file__", ""))]
assert not foreign, foreign
ours = str(Path(agentcop_scanner.rules.__file__).parents[1])
assert not [event for event in events if event[0] != "exec"], events
assert not [event for event in events if event[0] == "exec" and sys.argv[1] in event[1]], events
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_nothing_that_is_scanned_is_run_and_no_socket_is_opened(tmp_path: Path, jobs: str) -> None:
    mark = tmp_path / "ran"
    trap = f"open({str(mark)!r}, 'w').write('ran')\n"
    folder = written(
        tmp_path / "agents",
        {
            "a.py": trap + "import os\ndef f(x):\n    os.system('ls ' + x)\n",
            "conftest.py": trap,
            "__init__.py": trap,
            "sitecustomize.py": trap,
            "orjson.py": trap,
            "agentcop_scanner.py": trap,
        },
    )

    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(folder), jobs], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert (done.stderr, done.stdout.split()[:1]) == ("", ["6"])
    assert not mark.exists()


def test_the_same_tree_gives_the_same_report(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        {
            "b.py": "import os\ndef f(x, y):\n    os.system('ls ' + x)\n    open('/a/' + y)\n",
            "a.py": "import os\ndef f(x):\n    os.system('ls ' + x)\n",
            "c/d.py": "eval(input())\n",
        },
    )

    first, second = report_of(folder), report_of(folder)

    assert first == second
    assert [file.path for file in first.files] == sorted(file.path for file in first.files)


def test_relative_paths_stay_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path as Given

    written(tmp_path, {"agents/a.py": "import os\ndef f(x):\n    os.system('ls ' + x)\n"})
    monkeypatch.chdir(tmp_path)

    assert [file.path for file in scan([Given("agents")]).files] == ["agents/a.py"]
    assert [file.path for file in scan([Given()]).files] == ["agents/a.py"]


def test_a_scan_leaves_no_tree_for_the_collector(tmp_path: Path) -> None:
    inner = "import a1\ndef f(x):\n    def g(y):\n        return g(y) + h(y)\n    h = lambda y: g(y)\n    eval(h(x))\n"
    written(tmp_path, {f"a{number}.py": f"import a{(number + 1) % 9}\n{inner}" for number in range(9)})
    report_of(tmp_path)
    gc.collect()
    gc.disable()
    try:
        report_of(tmp_path)
        left = sum(type(one) is ast.Module for one in gc.get_objects())
    finally:
        gc.enable()

    assert left == 0


def test_progress_is_told_for_each_file(tmp_path: Path) -> None:
    written(tmp_path, {f"a{number}.py": "x = 1\n" for number in range(3)})
    told: list[tuple[int, int]] = []

    scan([tmp_path], ScanOptions(jobs=1, progress=lambda done, of: told.append((done, of))))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_rule_that_fails_is_said_and_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, {"a.py": "import requests\nrequests.get('https://x', verify=False)\n"})
    monkeypatch.setattr("agentcop_scanner.analysis.findings", lambda *_: 1 / 0)

    (file,) = report_of(tmp_path).files

    assert (file.unscored, file.score) == ("failed", None)
    assert "the taint engine failed: ZeroDivisionError" in file.problem
    assert "AC134" in {one.finding.rule for one in file.findings}
