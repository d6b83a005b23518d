"""Text is followed from one file of the tree into another, and so is what cleans it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scan_trees import findings_in, found_at, report_of, written

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = """
    import subprocess

    def run_line(line):
        return subprocess.run(line, shell=True)
"""
TOOL = """
    from langchain.tools import tool
    {imports}

    @tool
    def ping(host: str) -> str:
        return {call}
"""


@pytest.mark.parametrize(
    ("imports", "call"),
    [
        ("from app.runner import run_line", 'run_line(f"ping {host}")'),
        ("from .runner import run_line", 'run_line(f"ping {host}")'),
        ("from app import runner", 'runner.run_line(f"ping {host}")'),
        ("import app.runner as r", 'r.run_line(f"ping {host}")'),
        ("from . import runner as r", 'r.run_line("ping " + host)'),
        ("from app import run_line as go", 'go(f"ping {host}")'),
        ("from app import *", 'run_line(f"ping {host}")'),
    ],
)
def test_a_sink_in_another_file_counts_where_it_is_called(tmp_path: Path, imports: str, call: str) -> None:
    written(
        tmp_path,
        {
            "app/__init__.py": "from app.runner import run_line\n",
            "app/runner.py": RUNNER,
            "app/tools.py": TOOL.format(imports=imports, call=call),
        },
    )

    (finding,) = [one for one in findings_in(tmp_path, "AC111") if one.path.endswith("tools.py")]

    assert (finding.place.line, finding.severity, finding.reach) == (7, "CRITICAL", "tool")
    assert [(step.path.rpartition("/")[2], step.place.line) for step in finding.trace][-2:] == [
        ("tools.py", 7),
        ("runner.py", 5),
    ]


def test_a_method_of_an_object_of_a_class_in_another_file_is_followed(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "store.py": """
                class Store:
                    def __init__(self, root):
                        self.root = root

                    def write(self, name, text):
                        with open(f"{self.root}/{name}", "w") as file:
                            file.write(text)
            """,
            "tools.py": """
                from langchain.tools import tool
                from store import Store

                STORE = Store("/data")

                class Notes:
                    def __init__(self):
                        self.store = Store("/data")

                @tool
                def save(name: str, text: str) -> None:
                    store = Store("/data")
                    store.write(name, text)
            """,
        },
    )

    assert ("AC121", "tools.py", 14) in found_at(tmp_path, "AC121")


def test_a_validator_in_another_file_that_raises_silences(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "checks.py": """
                from pathlib import Path

                ROOT = Path("/data").resolve()

                def inside(name):
                    path = (ROOT / name).resolve()
                    if not path.is_relative_to(ROOT):
                        raise ValueError(name)
                    return path
            """,
            "tools.py": """
                from langchain.tools import tool
                from checks import inside

                @tool
                def read(name: str) -> str:
                    return inside(name).read_text()
            """,
        },
    )

    assert found_at(tmp_path, "AC121") == []


def test_a_function_of_another_file_that_only_sounds_like_a_validator_does_not_silence(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "checks.py": """
                def validate_path(name):
                    return name.strip()
            """,
            "tools.py": """
                from langchain.tools import tool
                from checks import validate_path

                @tool
                def read(name: str) -> str:
                    return open("/data/" + validate_path(name)).read()
            """,
        },
    )

    assert found_at(tmp_path, "AC121") == [("AC121", "tools.py", 7)]


def test_text_is_followed_through_two_files(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "low.py": RUNNER,
            "middle.py": "from low import run_line\n\ndef go(line):\n    return run_line(line)\n",
            "tools.py": TOOL.format(imports="from middle import go", call='go(f"ping {host}")'),
        },
    )

    assert ("AC111", "tools.py", 7) in found_at(tmp_path, "AC111")


def test_files_that_import_each_other_in_a_circle_are_scanned_to_the_end(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "a.py": "from b import g\nimport os\n\ndef f(x):\n    g(x)\n    os.system('ls ' + x)\n",
            "b.py": "from a import f\n\ndef g(x):\n    f(x)\n    f('ls ' + x)\n",
        },
    )

    assert ("AC111", "a.py", 6) in found_at(tmp_path, "AC111")
    assert {file.unscored for file in report_of(tmp_path).files} == {None}


def test_what_is_found_does_not_depend_on_which_files_were_looked_at_before(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(6)]
    files = {
        f"{name}.py": f"from m{(number + 1) % 6} import go as following\nimport os\n\n"
        f"def go(x):\n    following('a ' + x)\n    os.system('ls ' + x)\n"
        for number, name in enumerate(names)
    }
    written(tmp_path, files)

    whole = {(one.rule, one.path, one.place.line) for one in findings_in(tmp_path)}
    alone = set()
    for name in reversed(names):
        report = report_of(tmp_path, jobs=1)
        alone |= {
            (one.finding.rule, one.finding.path, one.finding.place.line)
            for file in report.files
            if file.path.endswith(f"{name}.py")
            for one in file.findings
        }
    assert whole == alone


def test_the_way_of_a_finding_that_is_counted_at_the_caller_ends_at_the_dangerous_call(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "tools.py": """
                import subprocess
                from langchain.tools import tool

                def inner(line):
                    return subprocess.run(line, shell=True)

                def middle(line):
                    return inner(line)

                @tool
                def ping(host: str) -> str:
                    return middle(f"ping {host}")
            """,
        },
    )

    (finding,) = [one for one in findings_in(tmp_path, "AC111") if one.severity == "CRITICAL"]

    assert (finding.place.line, [step.place.line for step in finding.trace]) == (13, [12, 13, 9, 6])
