"""Several processes find what one finds; one that dies or hangs costs the file it was at."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_scanner.source.disk.discovery import discover
from agentcop_scanner.work import pool
from agentcop_scanner.work.pool import Pool
from scan_trees import report_of, written

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_scanner.analysis import Analysis

pytestmark = pytest.mark.processes

FILES = {
    "app/__init__.py": "",
    "app/run.py": "import os\n\ndef go(x):\n    os.system('ls ' + x)\n",
    **{
        f"app/tools{number}.py": f"from app.run import go\nfrom app.tools{(number + 1) % 40} import f as following\n\n"
        "@tool\ndef f(x: str):\n    go('a ' + x)\n    following(x)\n"
        for number in range(40)
    },
    "broken.py": "def f(:\n",
    "mcp.json": '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "thing"]}}}',
}


def outcome(folder: Path, start: str, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 60) -> dict[str, str | None]:
    """What two processes that begin with `start` make of three files."""
    monkeypatch.setattr(pool, "START", start + "; " + pool.START)
    files = discover([folder]).files
    found: dict[int, Analysis] = {}
    Pool(files, 2, max_seconds=seconds).run(range(len(files)), found.__setitem__)
    return {files[at].path.rpartition("/")[2]: found[at].problem for at in sorted(found)}


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    folder = written(tmp_path, FILES)

    assert report_of(folder, jobs=2) == report_of(folder, jobs=1)


DIES = (
    "import agentcop_scanner.work.tree as t, os, time; real = t.Tree.analyse; "
    "t.Tree.analyse = lambda self, file: {action} if 'bad' in file.path else real(self, file)"
)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_file_on_which_the_process_dies_is_said_and_the_others_are_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"a.py": "x = 1\n", "bad.py": "x = 1\n", "c.py": "x = 1\n"})
    start = (
        f"import sys; sys.path[:0] = sys.argv[1:]; {DIES.format(action=f'os.kill(os.getpid(), {int(signal.SIGKILL)})')}"
    )

    problems = outcome(tmp_path, start, monkeypatch)

    assert problems == {"a.py": "", "bad.py": "the process that scanned it died", "c.py": ""}


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, {"a.py": "x = 1\n", "bad.py": "x = 1\n", "c.py": "x = 1\n"})
    start = f"import sys; sys.path[:0] = sys.argv[1:]; {DIES.format(action='time.sleep(600)')}"

    problems = outcome(tmp_path, start, monkeypatch, seconds=15)

    assert problems == {"a.py": "", "bad.py": "took over 15 seconds", "c.py": ""}


def test_a_process_gets_no_variable_that_would_arm_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, {"a.py": "x = 1\n"})
    monkeypatch.setenv("AGENTCOP_ENABLED", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = tmp_path / "environment.txt"
    start = f"import os; open({str(told)!r}, 'w').write(' '.join(os.environ))"

    outcome(tmp_path, start, monkeypatch)

    names = told.read_text(encoding="utf-8").split()
    assert "PATH" in names
    assert "PATH" in os.environ
    assert [name for name in names if name.startswith(("AGENTCOP_", "PYTHON"))] == []
